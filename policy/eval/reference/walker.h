// Computes an expression of a checked policy by walking it: each operator as
// the language describes it, nothing skipped, nothing prepared.
//
// Internal to the reference evaluator.

#ifndef POLICY_EVAL_REFERENCE_WALKER_H_
#define POLICY_EVAL_REFERENCE_WALKER_H_

#include <cstdint>
#include <map>
#include <vector>

#include "base/zones.h"
#include "policy/check/checked_policy.h"
#include "policy/eval/reference/payload.h"
#include "policy/eval/request.h"

namespace sgl::reference {

// Confined to one request; borrows everything.
class Walker {
 public:
  Walker(const CheckedPolicy& policy, const Zones& zones,
         const Request& request, const PayloadFacts& payload)
      : policy_(policy),
        zones_(zones),
        request_(request),
        payload_(payload),
        variables_(static_cast<size_t>(policy.variables_max)) {}

  // Returns what the node gives: `true`, `false`, another value, missing or a
  // fault.
  Cell Walk(NodeId id);

 private:
  Cell WalkOp(const Node& node);
  Cell Fixed(RootField field) const;
  Cell ReadPath(const Path& path) const;
  Cell Literal(const Node& node) const;
  // Kleene: a child that is `decisive` settles it, else a fault does.
  Cell Junction(const Node& node, bool decisive);
  Cell Loop(const Node& node);
  Cell Sum(const Node& node);
  Cell Scan(const Node& node) const;
  Cell Apply(const Node& node, const std::vector<Cell>& operands) const;
  Cell Arithmetic(const Node& node, const Cell& left, const Cell& right) const;
  Cell InSet(const Node& node, const Cell& value) const;

  // Which variables of loops around it the node reads, a bit each.
  uint32_t FreeVariables(NodeId id);

  const CheckedPolicy& policy_;
  const Zones& zones_;
  const Request& request_;
  const PayloadFacts& payload_;
  std::vector<Cell> variables_;
  std::map<NodeId, uint32_t> free_variables_;
  // What reads no variable has one value: computed once, or a chain of defs
  // that each name the one before twice would never end.
  std::map<NodeId, Cell> known_;
};

}  // namespace sgl::reference

#endif  // POLICY_EVAL_REFERENCE_WALKER_H_
