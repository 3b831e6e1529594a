#include "policy/compile/member_table.h"

#include <utility>

namespace sgl {

MemberTable::MemberTable(std::vector<std::string> names)
    : names_(std::move(names)) {
  int bits = 1;
  while ((size_t{1} << bits) < 2 * names_.size()) ++bits;
  shift_ = 64 - bits;
  // A run that starts in the last bucket may go on behind it, by as many
  // buckets as there are names.
  buckets_.resize((size_t{1} << bits) + names_.size() + 1);
  for (size_t i = 0; i < names_.size(); ++i) {
    std::string padded = names_[i];
    padded.append(sizeof(uint64_t), '\0');
    const MemberKey key = MakeMemberKey(padded.data(), names_[i].size());
    if (Find(key) >= 0) continue;
    size_t at = Hash(key) >> shift_;
    while (buckets_[at].number >= 0) ++at;
    buckets_[at] = {key.head, key.tail, static_cast<uint32_t>(key.text.size()),
                    static_cast<int32_t>(i)};
  }
}

}  // namespace sgl
