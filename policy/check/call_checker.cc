// Functions.

#include <absl/strings/str_cat.h>

#include <string>
#include <vector>

#include "policy/check/checker.h"
#include "policy/diagnostics/suggest.h"

namespace sgl {
namespace {

// Zones that a hint offers. Not all of the zone database: the checker knows
// only the zones that its caller loaded, and those are spelt as in the policy.
constexpr absl::string_view kCommonZones[] = {
    "UTC",
    "Africa/Cairo",
    "Africa/Johannesburg",
    "Africa/Lagos",
    "Africa/Nairobi",
    "America/Anchorage",
    "America/Argentina/Buenos_Aires",
    "America/Bogota",
    "America/Chicago",
    "America/Denver",
    "America/Halifax",
    "America/Lima",
    "America/Los_Angeles",
    "America/Mexico_City",
    "America/New_York",
    "America/Phoenix",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/Toronto",
    "America/Vancouver",
    "Asia/Bangkok",
    "Asia/Dubai",
    "Asia/Hong_Kong",
    "Asia/Jakarta",
    "Asia/Jerusalem",
    "Asia/Karachi",
    "Asia/Kolkata",
    "Asia/Manila",
    "Asia/Riyadh",
    "Asia/Seoul",
    "Asia/Shanghai",
    "Asia/Singapore",
    "Asia/Taipei",
    "Asia/Tokyo",
    "Australia/Brisbane",
    "Australia/Melbourne",
    "Australia/Perth",
    "Australia/Sydney",
    "Europe/Amsterdam",
    "Europe/Athens",
    "Europe/Berlin",
    "Europe/Brussels",
    "Europe/Copenhagen",
    "Europe/Dublin",
    "Europe/Helsinki",
    "Europe/Istanbul",
    "Europe/Kyiv",
    "Europe/Lisbon",
    "Europe/London",
    "Europe/Madrid",
    "Europe/Moscow",
    "Europe/Oslo",
    "Europe/Paris",
    "Europe/Prague",
    "Europe/Rome",
    "Europe/Stockholm",
    "Europe/Vienna",
    "Europe/Warsaw",
    "Europe/Zurich",
    "Pacific/Auckland",
    "Pacific/Honolulu",
};

}  // namespace

Checked Checker::CheckCall(const Expr& node) {
  const Name& function = ast().step(node, 0);
  if (function.text == "size") return CheckSize(node);
  if (function.text == "lower") return CheckStringCall(node, Op::kLower);
  if (function.text == "domain") return CheckStringCall(node, Op::kDomain);
  if (function.text == "sum") return CheckSum(node);
  if (function.text == "hour") return CheckClock(node, Op::kHour);
  if (function.text == "weekday") return CheckClock(node, Op::kWeekday);
  if (function.text == "scan") return CheckScan(node);
  if (function.text == "connected") return CheckConnected(node);
  auto report = Report(DiagnosticKind::kUnknownFunction, function.span,
                       absl::StrCat("unknown function `", function.text, "`"));
  const std::string near =
      Suggest(function.text, {"size", "lower", "domain", "sum", "hour",
                              "weekday", "scan", "connected"});
  report.Help(near.empty() ? "functions are connected, domain, hour, lower, "
                             "scan, size, sum and weekday"
                           : absl::StrCat("did you mean `", near, "`?"));
  return {};
}

bool Checker::HasArgs(const Expr& node, int count, absl::string_view usage) {
  if (node.child_count == count) return true;
  Report(DiagnosticKind::kArgumentCount, node.span,
         absl::StrCat("`", ast().step(node, 0).text, "` takes ", count,
                      count == 1 ? " argument, found " : " arguments, found ",
                      node.child_count))
      .Help(absl::StrCat("write `", usage, "`"));
  return false;
}

Checked Checker::CheckSize(const Expr& node) {
  if (!HasArgs(node, 1, "size(payload.list)")) return {};
  const ExprId id = ast().child(node, 0);
  const Checked arg = CheckExpr(id, kStringType);
  if (arg.failed()) return {};
  const TypeKind kind = KindOf(arg.type);
  if (kind != TypeKind::kString && kind != TypeKind::kList) {
    return Mismatch(expr(id).span, "a string or a list", arg.type);
  }
  return MakeNode(Op::kSize, kIntType, 0, node.span, {arg.node});
}

Checked Checker::CheckStringCall(const Expr& node, Op op) {
  if (!HasArgs(
          node, 1,
          op == Op::kLower ? "lower(payload.text)" : "domain(payload.url)")) {
    return {};
  }
  const ExprId id = ast().child(node, 0);
  const Checked arg = CheckExpr(id, kStringType);
  if (arg.failed()) return {};
  if (arg.type != kStringType) {
    return Mismatch(expr(id).span, "a string", arg.type);
  }
  return MakeNode(op, kStringType, 0, node.span, {arg.node});
}

// sum(list, field): the field is a name, or a quoted one.
Checked Checker::CheckSum(const Expr& node) {
  if (!HasArgs(node, 2, "sum(payload.lines, amount)")) return {};
  const ExprId list_id = ast().child(node, 0);
  const Expr& name = expr(ast().child(node, 1));
  const Checked list = CheckListOperand(list_id);
  if (list.failed() || name.kind == ExprKind::kError) return {};
  std::string field_name;
  if (name.kind == ExprKind::kPath && name.step_count == 1) {
    field_name = ast().step(name, 0).text;
  } else if (name.kind == ExprKind::kString) {
    field_name = std::string(ast().text(name));
  } else {
    Report(DiagnosticKind::kNotAPath, name.span,
           "the second argument of `sum` is the name of a field");
    return {};
  }
  const TypeId element = policy_.types[list.type].element;
  const Type& record = policy_.types[element];
  if (record.kind != TypeKind::kRecord || record.is_optional) {
    return Mismatch(expr(list_id).span, "a list of records", list.type);
  }
  const int field = record.FindField(field_name);
  if (field < 0) {
    std::vector<std::string> names;
    for (const Field& known : record.fields) names.push_back(known.name);
    auto report =
        Report(DiagnosticKind::kUnknownField, name.span,
               absl::StrCat("the elements have no field `", field_name, "`"));
    const std::string near = Suggest(field_name, names);
    if (!near.empty()) report.Help(absl::StrCat("did you mean `", near, "`?"));
    return {};
  }
  const TypeId type = record.fields[static_cast<size_t>(field)].type;
  const TypeKind kind = KindOf(type);
  const bool is_number = kind == TypeKind::kInt || kind == TypeKind::kDecimal ||
                         kind == TypeKind::kUsd || kind == TypeKind::kDuration;
  if (!is_number || policy_.types.is_optional(type)) {
    return Mismatch(name.span, "a required numeric field", type);
  }
  return MakeNode(Op::kSum, type, field, node.span, {list.node});
}

Checked Checker::CheckClock(const Expr& node, Op op) {
  if (!HasArgs(node, 2,
               op == Op::kHour ? "hour(now, \"Europe/Berlin\")"
                               : "weekday(now, \"Europe/Berlin\")")) {
    return {};
  }
  const ExprId time_id = ast().child(node, 0);
  const ExprId zone_id = ast().child(node, 1);
  Checked time = CheckExpr(time_id, kTimestampType);
  if (!time.failed() && time.type != kTimestampType) {
    time = Mismatch(expr(time_id).span, "a timestamp", time.type);
  }
  const std::optional<std::string> zone = CheckText(zone_id, "a time zone");
  if (!zone.has_value()) return {};
  if (!zones_.by_name.contains(*zone)) {
    const std::string near =
        Suggest(*zone, {std::begin(kCommonZones), std::end(kCommonZones)});
    Report(DiagnosticKind::kUnknownZone, expr(zone_id).span,
           absl::StrCat("unknown time zone `", *zone, "`"))
        .Help(near.empty() || near == *zone
                  ? "zones have names such as `Europe/Berlin` or `UTC`"
                  : absl::StrCat("did you mean `", near, "`?"));
    return {};
  }
  if (time.failed()) return {};
  return MakeNode(op, kIntType, nodes_.AddZone(*zone), node.span, {time.node});
}

Checked Checker::CheckScan(const Expr& node) {
  if (!HasArgs(node, 2, "scan(payload, /…/)")) return {};
  const Expr& whole = expr(ast().child(node, 0));
  const bool is_payload = whole.kind == ExprKind::kPath &&
                          whole.step_count == 1 &&
                          ast().step(whole, 0).text == "payload";
  if (!is_payload && whole.kind != ExprKind::kError) {
    Report(DiagnosticKind::kTypeMismatch, whole.span,
           "`scan` reads the whole payload")
        .Help("write `scan(payload, …)`; for one field use `matches`");
  }
  const std::optional<int32_t> regex =
      CheckRegex(ast().child(node, 1), "the second argument of `scan`");
  if (!is_payload || !regex.has_value()) return {};
  return MakeNode(Op::kScan, kBoolType, *regex, node.span, {});
}

Checked Checker::CheckConnected(const Expr& node) {
  if (!HasArgs(node, 1, "connected(\"google\")")) return {};
  const std::optional<std::string> provider =
      CheckText(ast().child(node, 0), "a provider");
  if (!provider.has_value()) return {};
  const int32_t literal = nodes_.AddLiteral({kStringType, 0, *provider});
  return MakeNode(Op::kConnected, kBoolType, literal, node.span, {});
}

}  // namespace sgl
