// Names to numbers, for the keys of JSON objects: a few nanoseconds a look-up.
//
// A name of up to 16 bytes is its length and two words of eight bytes, so that
// finding it compares three integers and touches no text. Open addressing, at
// most half full.
//
//   const MemberTable fields({"to", "memo"});
//   fields.Find(MakeMemberKey(text, 4));  // 1 where `text` starts with `memo`
//
// Internal to the policy layer.

#ifndef POLICY_COMPILE_MEMBER_TABLE_H_
#define POLICY_COMPILE_MEMBER_TABLE_H_

#include <absl/strings/string_view.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace sgl {

// A name as the table compares it. Views the text that it was made of.
struct MemberKey {
  // The first eight bytes, those behind a shorter name zero.
  uint64_t head = 0;
  // The last eight bytes of a name of more than eight.
  uint64_t tail = 0;
  absl::string_view text;

  // Whether the keys are the same text.
  bool operator==(const MemberKey& other) const {
    return head == other.head && tail == other.tail &&
           text.size() == other.text.size() &&
           (text.size() <= 16 || text == other.text);
  }
};

// REQUIRES: eight bytes can be read at `data`, whatever the size.
inline MemberKey MakeMemberKey(const char* data, size_t size) {
  // A short name keeps its own bytes and no others.
  static_assert(std::endian::native == std::endian::little);
  MemberKey key;
  key.text = absl::string_view(data, size);
  std::memcpy(&key.head, data, sizeof(key.head));
  if (size > 8) {
    std::memcpy(&key.tail, data + size - 8, sizeof(key.tail));
  } else if (size < 8) {
    key.head &= (uint64_t{1} << (8 * size)) - 1;
  }
  return key;
}

// Immutable after construction. Owns its names.
class MemberTable {
 public:
  // Finds nothing.
  MemberTable() : MemberTable(std::vector<std::string>{}) {}

  // Each name stands for its first place in `names`.
  explicit MemberTable(std::vector<std::string> names);

  // Returns the name's number, or -1.
  int32_t Find(const MemberKey& key) const {
    for (size_t at = Hash(key) >> shift_;; ++at) {
      const Bucket& bucket = buckets_[at];
      if (bucket.number < 0) return -1;
      if (bucket.head == key.head && bucket.tail == key.tail &&
          bucket.size == key.text.size() &&
          (bucket.size <= 16 ||
           names_[static_cast<size_t>(bucket.number)] == key.text)) {
        return bucket.number;
      }
    }
  }

 private:
  struct Bucket {
    uint64_t head = 0;
    uint64_t tail = 0;
    uint32_t size = 0;
    int32_t number = -1;  // negative: empty
  };

  static uint64_t Hash(const MemberKey& key) {
    // Odd numbers without a pattern: the multiplication carries every bit of
    // the key up to the bits that are used.
    return ((key.head ^ key.text.size()) + key.tail * 0x9e3779b97f4a7c15) *
           0xd6e8feb86659fd93;
  }

  // One empty bucket more than the hash can reach ends every search.
  std::vector<Bucket> buckets_;
  int shift_ = 0;
  std::vector<std::string> names_;
};

}  // namespace sgl

#endif  // POLICY_COMPILE_MEMBER_TABLE_H_
