#include "policy/syntax/layout_builder.h"

#include <algorithm>
#include <utility>

namespace sgl {
namespace {

// Returns whether a word means something where types, roles and enum members
// stand; a name that looks like it keeps its quotes.
bool IsLanguageWord(absl::string_view word) {
  constexpr absl::string_view kWords[] = {
      "policy", "version", "layer",     "platform",   "default", "const",
      "def",    "intent",  "block",     "review",     "allow",   "limit",
      "test",   "assert",  "on",        "when",       "risk",    "approvals",
      "from",   "within",  "per",       "of",         "else",    "given",
      "expect", "null",    "decision",  "payload",    "agent",   "tenant",
      "budget", "now",     "true",      "false",      "and",     "or",
      "not",    "in",      "matches",   "contains",   "has",     "any",
      "all",    "count",   "ends_with", "starts_with"};
  return std::find(std::begin(kWords), std::end(kWords), word) !=
         std::end(kWords);
}

// Returns the code points of a text, which is how many columns it takes.
int64_t Columns(absl::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char byte) { return (byte & 0xC0) != 0x80; });
}

}  // namespace

int64_t LayoutTree::Width(const LayoutNode& node) const {
  return widths[static_cast<size_t>(node.last)] -
         widths[static_cast<size_t>(node.first)] -
         (token(node.first).has_space ? 1 : 0);
}

LayoutTree BuildLayout(FormatTokens tokens, const Ast& ast) {
  return LayoutBuilder(std::move(tokens), ast).Build();
}

LayoutBuilder::LayoutBuilder(FormatTokens tokens, const Ast& ast)
    : input_(std::move(tokens.tokens)) {
  tree_.comments = std::move(tokens.comments);
  for (const BindingSyntax& item : ast.consts) consts_.insert(item.name.text);
}

LayoutTree LayoutBuilder::Build() {
  std::vector<LayoutId> items;
  while (!At(TokenKind::kEnd)) items.push_back(Item());
  items.push_back(Take());
  tree_.root = AddNode(Layout::kLines, 0, items);
  at(tree_.root).must_break = true;
  Measure();
  return std::move(tree_);
}

const FormatToken& LayoutBuilder::Peek(size_t ahead) const {
  return input_[std::min(pos_ + ahead, input_.size() - 1)];
}

LayoutId LayoutBuilder::Take() {
  const FormatToken& token = Peek();
  if (pos_ < input_.size() - 1) ++pos_;
  return AddToken(token);
}

// Takes a word or a quoted name, without the quotes where they say nothing.
LayoutId LayoutBuilder::TakeName(NameUse use) {
  if (!At(TokenKind::kString)) return Take();
  FormatToken token = Peek();
  const absl::string_view name = token.text.substr(1, token.text.size() - 2);
  const bool is_word = IsWord(name) &&
                       (use == NameUse::kField || !IsLanguageWord(name)) &&
                       (use != NameUse::kOnType || !consts_.contains(name));
  if (!is_word) return Take();
  ++pos_;
  token.kind = TokenKind::kWord;
  token.text = name;
  return AddToken(token);
}

LayoutId LayoutBuilder::Glue(LayoutId id) {
  tree_.tokens[static_cast<size_t>(at(id).first)].has_space = false;
  return id;
}

LayoutId LayoutBuilder::AddToken(FormatToken token) {
  LayoutNode node;
  node.first = static_cast<int32_t>(tree_.tokens.size());
  node.last = node.first + 1;
  tree_.tokens.push_back(token);
  tree_.nodes.push_back(node);
  return static_cast<LayoutId>(tree_.nodes.size() - 1);
}

LayoutId LayoutBuilder::AddNode(Layout layout, int32_t indent,
                                absl::Span<const LayoutId> children) {
  LayoutNode node;
  node.layout = layout;
  node.indent = indent;
  node.first = at(children.front()).first;
  node.last = at(children.back()).last;
  node.first_child = static_cast<int32_t>(tree_.children.size());
  node.child_count = static_cast<int32_t>(children.size());
  tree_.children.insert(tree_.children.end(), children.begin(), children.end());
  tree_.nodes.push_back(node);
  return static_cast<LayoutId>(tree_.nodes.size() - 1);
}

LayoutId LayoutBuilder::Run(absl::Span<const LayoutId> children) {
  if (children.size() == 1) return children.front();
  return AddNode(Layout::kRun, 0, children);
}

LayoutId LayoutBuilder::Lines(absl::Span<const LayoutId> children,
                              int32_t indent) {
  if (children.size() == 1) return children.front();
  return AddNode(Layout::kLines, indent, children);
}

LayoutId LayoutBuilder::Fill(absl::Span<const LayoutId> children,
                             int32_t indent) {
  if (children.size() == 1) return children.front();
  return AddNode(Layout::kFill, indent, children);
}

// Adds the comma that follows an element; leaves it out before the closing
// bracket.
LayoutId LayoutBuilder::WithComma(LayoutId id) {
  if (!At(TokenKind::kComma)) return id;
  if (At(TokenKind::kRightBrace, 1) || At(TokenKind::kRightBracket, 1) ||
      At(TokenKind::kRightParen, 1)) {
    ++pos_;
    return id;
  }
  return Run({id, TakeGlued()});
}

// Sums the widths, then finds for each node what depends on its children.
void LayoutBuilder::Measure() {
  tree_.widths = {0};
  tree_.comment_sums = {0};
  for (const FormatToken& token : tree_.tokens) {
    tree_.widths.push_back(tree_.widths.back() + Columns(token.text) +
                           (token.has_space ? 1 : 0));
    tree_.comment_sums.push_back(tree_.comment_sums.back() +
                                 token.comment_count);
  }
  for (LayoutNode& node : tree_.nodes) {
    node.lead = static_cast<int32_t>(tree_.Width(node));
    if (node.layout == Layout::kToken) continue;
    if (tree_.comment_sums[static_cast<size_t>(node.last)] >
        tree_.comment_sums[static_cast<size_t>(node.first) + 1]) {
      node.must_break = true;
    }
    for (int i = 0; i < node.child_count; ++i) {
      const LayoutNode& child = tree_.node(tree_.child(node, i));
      if (child.must_break) node.must_break = true;
      if (i > 0 && node.layout != Layout::kRun &&
          tree_.token(child.first).has_blank_before) {
        node.must_break = true;
      }
    }
    if (node.layout != Layout::kRun) {
      node.lead = tree_.node(tree_.child(node, 0)).lead;
      continue;
    }
    node.lead = 0;
    for (int i = 0; i < node.child_count; ++i) {
      const LayoutNode& child = tree_.node(tree_.child(node, i));
      if (i > 0 && tree_.token(child.first).has_space) ++node.lead;
      node.lead += child.lead;
      if (child.lead < tree_.Width(child)) break;
    }
  }
}

}  // namespace sgl
