// The formatter's tree: which tokens stand together, and where a line may
// break when they do not fit. Internal to policy/syntax.
//
// The builder makes it of a file's tokens, and mends their spelling on the
// way (commas, quotes); the printer turns it into text. What it prints depends
// on the tokens, the comments, and those blank lines that it keeps, on nothing
// else of how the file looked: that is why formatting twice changes nothing.

#ifndef POLICY_SYNTAX_LAYOUT_H_
#define POLICY_SYNTAX_LAYOUT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "policy/syntax/ast.h"
#include "policy/syntax/format_tokens.h"

namespace sgl {

// The width that lines are kept to where tokens allow it.
inline constexpr int kLineWidth = 80;

// How a node's children stand when the node does not fit on the line. Where
// it does fit, all stand on it.
enum class Layout : uint8_t {
  kToken,        // has no children
  kRun,          // side by side; only the children break inside
  kLines,        // each but the first begins a line
  kFill,         // as many on a line as fit
  kBlock,        // between the first and the last each has a line
  kPackedBlock,  // likewise, but as many on a line as fit
};

enum class LayoutId : int32_t { kNone = -1 };

struct LayoutNode {
  Layout layout = Layout::kToken;
  bool must_break = false;  // a comment, a blank line or the style wants it
  int32_t indent = 0;       // of broken lines, past the node's own
  int32_t first = 0;        // tokens [first, last)
  int32_t last = 0;
  int32_t first_child = 0;
  int32_t child_count = 0;
  int32_t lead = 0;  // columns up to where the first line break may stand
};

// Nodes stand behind their children.
struct LayoutTree {
  std::vector<FormatToken> tokens;
  std::vector<Comment> comments;
  std::vector<LayoutNode> nodes;
  std::vector<LayoutId> children;
  std::vector<int64_t> widths;        // of all tokens before the n-th
  std::vector<int64_t> comment_sums;  // likewise
  LayoutId root = LayoutId::kNone;

  const LayoutNode& node(LayoutId id) const {
    return nodes[static_cast<size_t>(id)];
  }
  LayoutId child(const LayoutNode& parent, int number) const {
    return children[static_cast<size_t>(parent.first_child + number)];
  }
  const FormatToken& token(int32_t index) const {
    return tokens[static_cast<size_t>(index)];
  }

  // Returns the columns of a node on one line, without the space before it.
  int64_t Width(const LayoutNode& node) const;
};

// Makes the tree of a file that parses without errors.
LayoutTree BuildLayout(FormatTokens tokens, const Ast& ast);

// Returns the text, ending in a line break.
std::string PrintLayout(const LayoutTree& tree);

}  // namespace sgl

#endif  // POLICY_SYNTAX_LAYOUT_H_
