// Texts that one evaluation makes, `lower` and `domain`: kept until the next
// evaluation, in memory that is then used again.
//
// Internal to the policy layer.

#ifndef POLICY_EVAL_TEXT_ARENA_H_
#define POLICY_EVAL_TEXT_ARENA_H_

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

namespace sgl {

// Not thread-safe. Allocates only while texts are longer, together, than all
// before.
class TextArena {
 public:
  // Returns room for a text, valid until Clear.
  char* Take(size_t size) {
    while (block_ < blocks_.size() && used_ + size > blocks_[block_].size) {
      ++block_;
      used_ = 0;
    }
    if (block_ == blocks_.size()) {
      const size_t bytes = std::max(size, kBlockBytes);
      blocks_.push_back({std::make_unique<char[]>(bytes), bytes});
      used_ = 0;
    }
    char* const room = blocks_[block_].bytes.get() + used_;
    used_ += size;
    return room;
  }

  void Clear() {
    block_ = 0;
    used_ = 0;
  }

 private:
  static constexpr size_t kBlockBytes = 4'096;

  struct Block {
    std::unique_ptr<char[]> bytes;
    size_t size = 0;
  };

  std::vector<Block> blocks_;
  size_t block_ = 0;  // the one that is being filled
  size_t used_ = 0;   // of it
};

}  // namespace sgl

#endif  // POLICY_EVAL_TEXT_ARENA_H_
