// The fast reader of requests against the exact one. For tests only.

#ifndef POLICY_EVAL_FACTS_DIFFERENCE_H_
#define POLICY_EVAL_FACTS_DIFFERENCE_H_

#include <absl/strings/string_view.h>

#include <memory>
#include <string>

namespace sgl {

struct DecisionProgram;
struct Facts;
class FactsReader;

// Reads lines both ways. Its reader and facts are used again for every line,
// so that what one line leaves behind shows in the next.
class ReaderPair {
 public:
  // The program outlives the pair.
  explicit ReaderPair(const DecisionProgram& program);
  ~ReaderPair();

  // Reads the line by RequestLine::Read and DecodeFacts, by
  // FactsReader::ReadLine, and what comes of it by FactsReader::Read. Returns
  // an empty text where they agree, else what differs.
  std::string Difference(absl::string_view line);

  // Whether the last line was read without the exact reader's help.
  bool was_fast() const { return was_fast_; }

 private:
  const DecisionProgram& program_;
  std::unique_ptr<FactsReader> reader_;
  std::unique_ptr<Facts> of_line_;
  std::unique_ptr<Facts> of_request_;
  bool was_fast_ = false;
};

}  // namespace sgl

#endif  // POLICY_EVAL_FACTS_DIFFERENCE_H_
