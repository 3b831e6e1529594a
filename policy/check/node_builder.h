// Puts expressions into a CheckedPolicy without duplicates: each Add returns
// the id of the one equal thing. Internal to policy/check.

#ifndef POLICY_CHECK_NODE_BUILDER_H_
#define POLICY_CHECK_NODE_BUILDER_H_

#include <absl/container/flat_hash_map.h>
#include <absl/container/inlined_vector.h>
#include <absl/strings/string_view.h>
#include <absl/types/span.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "policy/check/checked_policy.h"

namespace sgl {

// Borrows the policy, which nothing else may add nodes to.
class NodeBuilder {
 public:
  explicit NodeBuilder(CheckedPolicy& policy) : policy_(policy) {}

  // Returns kNone for a node nested deeper than kNodeDepthMax.
  // REQUIRES: the children are nodes of this policy.
  NodeId Add(Op op, TypeId type, int32_t index, Span span,
             absl::Span<const NodeId> children);

  int32_t AddLiteral(const Literal& literal);
  int32_t AddSet(ConstantSet set);
  int32_t AddRange(const ConstantRange& range);
  int32_t AddPath(const Path& path);
  int32_t AddSlot(const PayloadSlot& slot);
  int32_t AddZone(const std::string& zone);

 private:
  struct Key {
    Op op;
    TypeId type;
    int32_t index;
    absl::InlinedVector<NodeId, 4> children;  // most have two
    bool operator==(const Key&) const = default;
    template <typename H>
    friend H AbslHashValue(H state, const Key& key) {
      return H::combine(std::move(state), key.op, key.type, key.index,
                        key.children);
    }
  };

  // Which variables of loops outside it a node reads, one bit each.
  uint32_t FreeVariables(const Key& key) const;

  CheckedPolicy& policy_;
  absl::flat_hash_map<Key, NodeId> nodes_;
  std::vector<uint32_t> free_variables_;  // of each node
  absl::flat_hash_map<Literal, int32_t> literals_;
  std::map<ConstantSet, int32_t> sets_;
  std::map<ConstantRange, int32_t> ranges_;
  std::map<Path, int32_t> paths_;
  std::map<PayloadSlot, int32_t> slots_;
  std::map<std::string, int32_t> zones_;
};

}  // namespace sgl

#endif  // POLICY_CHECK_NODE_BUILDER_H_
