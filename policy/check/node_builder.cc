#include "policy/check/node_builder.h"

#include <algorithm>
#include <utility>

#include "policy/limits.h"

namespace sgl {
namespace {

// Returns the index of the one equal value, adding it where it is new.
template <typename T, typename Index>
int32_t Intern(const T& value, Index* index, std::vector<T>* values) {
  const auto [found, is_new] =
      index->emplace(value, static_cast<int32_t>(values->size()));
  if (is_new) values->push_back(value);
  return found->second;
}

}  // namespace

NodeId NodeBuilder::Add(Op op, TypeId type, int32_t index, Span span,
                        absl::Span<const NodeId> children) {
  Key key = {op, type, index, {children.begin(), children.end()}};
  const auto found = nodes_.find(key);
  if (found != nodes_.end()) return found->second;

  Node node;
  node.op = op;
  node.type = type;
  node.index = index;
  node.span = span;
  for (NodeId child : children) {
    node.depth = std::max(node.depth, policy_.node(child).depth + 1);
  }
  if (node.depth > kNodeDepthMax) return NodeId::kNone;
  node.first_child = static_cast<int32_t>(policy_.children.size());
  node.child_count = static_cast<int32_t>(children.size());
  const uint32_t free = FreeVariables(key);
  node.uses_variable = free != 0;

  const auto id = static_cast<NodeId>(policy_.nodes.size());
  policy_.children.insert(policy_.children.end(), children.begin(),
                          children.end());
  policy_.nodes.push_back(node);
  free_variables_.push_back(free);
  nodes_.emplace(std::move(key), id);
  return id;
}

uint32_t NodeBuilder::FreeVariables(const Key& key) const {
  const auto free_of = [this](NodeId id) {
    return free_variables_[static_cast<size_t>(id)];
  };
  if (key.op == Op::kPath || key.op == Op::kHas) {
    const Path& path = policy_.paths[static_cast<size_t>(key.index)];
    return path.root == PathRoot::kVariable ? 1u << path.index : 0;
  }
  uint32_t free = 0;
  if (key.op == Op::kAny || key.op == Op::kAll || key.op == Op::kCount) {
    // The body's own variable is bound here, in the body alone.
    return free_of(key.children[0]) |
           (free_of(key.children[1]) & ~(1u << key.index));
  }
  for (NodeId child : key.children) free |= free_of(child);
  return free;
}

int32_t NodeBuilder::AddLiteral(const Literal& literal) {
  return Intern(literal, &literals_, &policy_.literals);
}

int32_t NodeBuilder::AddSet(ConstantSet set) {
  std::sort(set.numbers.begin(), set.numbers.end());
  set.numbers.erase(std::unique(set.numbers.begin(), set.numbers.end()),
                    set.numbers.end());
  std::sort(set.texts.begin(), set.texts.end());
  set.texts.erase(std::unique(set.texts.begin(), set.texts.end()),
                  set.texts.end());
  return Intern(set, &sets_, &policy_.sets);
}

int32_t NodeBuilder::AddRange(const ConstantRange& range) {
  return Intern(range, &ranges_, &policy_.ranges);
}

int32_t NodeBuilder::AddPath(const Path& path) {
  return Intern(path, &paths_, &policy_.paths);
}

int32_t NodeBuilder::AddSlot(const PayloadSlot& slot) {
  return Intern(slot, &slots_, &policy_.slots);
}

int32_t NodeBuilder::AddZone(const std::string& zone) {
  return Intern(zone, &zones_, &policy_.zones);
}

}  // namespace sgl
