// Prints the formatter's tree: a node that fits stands on the line, another
// breaks as its layout says.

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "policy/syntax/layout.h"

namespace sgl {
namespace {

class Printer {
 public:
  explicit Printer(const LayoutTree& tree) : tree_(tree) {}

  std::string Print() {
    BreakLine(0);
    Print(tree_.root, 0, 0);
    SGL_CHECK(next_ == static_cast<int32_t>(tree_.tokens.size()));
    while (!out_.empty() && out_.back() == '\n') out_.pop_back();
    out_.push_back('\n');
    return std::move(out_);
  }

 private:
  // A line break that stands before the next token.
  struct LineBreak {
    int indent = 0;
    int comment_indent = 0;
  };

  // Where a token goes that a comment forces onto a line of its own.
  static int ForcedIndent(int indent) { return indent + 2; }

  void BreakLine(int indent) { break_ = LineBreak{indent, indent}; }

  // `tail` is how many columns must stay free behind the node.
  void Print(LayoutId id, int indent, int64_t tail) {
    const LayoutNode& node = tree_.node(id);
    if (node.layout == Layout::kToken || Fits(node, indent, tail)) {
      for (int32_t i = node.first; i < node.last; ++i) Put(i, indent);
      return;
    }
    switch (node.layout) {
      case Layout::kToken:
        return;
      case Layout::kRun:
        return PrintRun(node, indent, tail);
      case Layout::kLines:
        for (int i = 0; i < node.child_count; ++i) {
          if (i > 0) BreakLine(indent + node.indent);
          Print(tree_.child(node, i), indent + node.indent,
                i + 1 == node.child_count ? tail : 0);
        }
        return;
      case Layout::kFill:
        return PrintFill(node, 0, node.child_count, indent + node.indent, tail);
      case Layout::kBlock:
      case Layout::kPackedBlock:
        return PrintBlock(node, indent);
    }
  }

  bool Fits(const LayoutNode& node, int indent, int64_t tail) const {
    return !node.must_break &&
           StartColumn(node, indent) + tree_.Width(node) + tail <= kLineWidth;
  }

  int64_t StartColumn(const LayoutNode& node, int indent) const {
    if (break_.has_value()) return break_->indent;
    const FormatToken& first = tree_.token(node.first);
    if (first.comment_count > 0) return ForcedIndent(indent);
    return column_ + (first.has_space ? 1 : 0);
  }

  void PrintRun(const LayoutNode& node, int indent, int64_t tail) {
    std::vector<int64_t> tails(static_cast<size_t>(node.child_count), tail);
    for (int i = node.child_count - 1; i > 0; --i) {
      const LayoutNode& child = tree_.node(tree_.child(node, i));
      int64_t columns =
          child.lead + (tree_.token(child.first).has_space ? 1 : 0);
      if (child.lead == tree_.Width(child)) {
        columns += tails[static_cast<size_t>(i)];
      }
      tails[static_cast<size_t>(i) - 1] = columns;
    }
    for (int i = 0; i < node.child_count; ++i) {
      Print(tree_.child(node, i), indent, tails[static_cast<size_t>(i)]);
    }
  }

  // Prints children [begin, end), a new line where the next does not fit.
  void PrintFill(const LayoutNode& node, int begin, int end, int indent,
                 int64_t tail) {
    for (int i = begin; i < end; ++i) {
      const LayoutNode& child = tree_.node(tree_.child(node, i));
      const FormatToken& first = tree_.token(child.first);
      const int64_t behind = i + 1 == end ? tail : 0;
      if (i > begin && (first.has_blank_before || first.comment_count > 0 ||
                        !Fits(child, indent, behind))) {
        BreakLine(indent);
      }
      Print(tree_.child(node, i), indent, behind);
    }
  }

  void PrintBlock(const LayoutNode& node, int indent) {
    const int last = node.child_count - 1;
    const int inner = indent + node.indent;
    Print(tree_.child(node, 0), indent, 0);
    if (node.layout == Layout::kPackedBlock && last > 1) {
      BreakLine(inner);
      PrintFill(node, 1, last, inner, 0);
    } else {
      for (int i = 1; i < last; ++i) {
        BreakLine(inner);
        Print(tree_.child(node, i), inner, 0);
      }
    }
    break_ = LineBreak{indent, inner};
    Print(tree_.child(node, last), indent, 0);
  }

  // Prints a token, and before it its comments and the line break, if any.
  void Put(int32_t index, int indent) {
    for (; next_ < index; ++next_) SGL_CHECK(tree_.token(next_).is_field_comma);
    SGL_CHECK(next_ == index);
    ++next_;
    const FormatToken& token = tree_.token(index);
    const int forced = ForcedIndent(indent);
    const bool is_broken = break_.has_value() || token.comment_count > 0;
    const LineBreak at = break_.value_or(LineBreak{forced, forced});
    break_.reset();
    for (int32_t i = 0; i < token.comment_count; ++i) {
      const Comment& comment =
          tree_.comments[static_cast<size_t>(token.first_comment + i)];
      if (comment.is_own_line) {
        StartLine(comment.has_blank_before, at.comment_indent);
      } else {
        out_ += "  ";
      }
      out_.append(comment.text.data(), comment.text.size());
    }
    if (is_broken) {
      StartLine(token.has_blank_before, at.indent);
    } else if (token.has_space && !out_.empty()) {
      out_.push_back(' ');
      ++column_;
    }
    out_.append(token.text.data(), token.text.size());
    column_ += std::count_if(token.text.begin(), token.text.end(),
                             [](char byte) { return (byte & 0xC0) != 0x80; });
  }

  void StartLine(bool has_blank_before, int indent) {
    if (!out_.empty()) {
      out_ += has_blank_before ? "\n\n" : "\n";
      out_.append(static_cast<size_t>(indent), ' ');
    }
    column_ = indent;
  }

  const LayoutTree& tree_;
  std::string out_;
  int64_t column_ = 0;
  int32_t next_ = 0;
  std::optional<LineBreak> break_;
};

}  // namespace

std::string PrintLayout(const LayoutTree& tree) {
  return Printer(tree).Print();
}

}  // namespace sgl
