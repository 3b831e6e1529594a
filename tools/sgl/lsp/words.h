// The words of the language with a line on each, for hover and completion.

#ifndef TOOLS_SGL_LSP_WORDS_H_
#define TOOLS_SGL_LSP_WORDS_H_

#include <absl/strings/string_view.h>
#include <absl/types/span.h>

#include <initializer_list>

namespace sgl::tools {

// A root (`agent`), or a field of one (`agent.tier`).
struct RootWord {
  absl::string_view name;
  absl::string_view type;  // of a root that is a record, empty
  absl::string_view summary;
};

// A function with its parameters: `lower(text: string) -> string`.
struct FunctionWord {
  absl::string_view name;
  absl::string_view signature;
  absl::string_view summary;
};

// What a keyword begins, or what it does in an expression.
enum class WordRole { kItem, kClause, kOperator, kPrefix, kType, kOther };

struct Keyword {
  absl::string_view name;
  WordRole role;
  absl::string_view summary;
};

absl::Span<const RootWord> RootWords();
absl::Span<const FunctionWord> FunctionWords();
absl::Span<const Keyword> Keywords();

// Returns whether a word is one of some.
bool IsOneOf(absl::string_view word,
             std::initializer_list<absl::string_view> words);

// Each returns null where there is none of that name.
const RootWord* FindRoot(absl::string_view name);
const FunctionWord* FindFunction(absl::string_view name);
const Keyword* FindKeyword(absl::string_view name);

}  // namespace sgl::tools

#endif  // TOOLS_SGL_LSP_WORDS_H_
