#include "policy/eval/reference/payload.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include <algorithm>
#include <utility>

#include "policy/eval/reference/plain_values.h"
#include "policy/limits.h"

namespace sgl::reference {
namespace {

bool IsWord(absl::string_view name) {
  if (name.empty() || absl::ascii_isdigit(name.front())) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return absl::ascii_isalnum(c) || c == '_'; });
}

std::string Quoted(absl::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    constexpr absl::string_view kSpecial = "\"\\\n\t\r";
    constexpr absl::string_view kLetters = "\"\\ntr";
    const size_t special = kSpecial.find(c);
    if (special != absl::string_view::npos) {
      absl::StrAppend(&out, "\\", kLetters.substr(special, 1));
    } else if (static_cast<unsigned char>(c) < 0x20) {
      absl::StrAppendFormat(&out, "\\u%04x", static_cast<int>(c));
    } else {
      out.push_back(c);
    }
  }
  return out + "\"";
}

std::string FieldPath(absl::string_view path, absl::string_view name) {
  return IsWord(name) ? absl::StrCat(path, ".", name)
                      : absl::StrCat(path, "[", Quoted(name), "]");
}

std::string ItemPath(absl::string_view path, size_t index) {
  return absl::StrCat(path, "[", index, "]");
}

// Reads one payload; what does not fit goes into `facts`.
class PayloadReader {
 public:
  PayloadReader(const CheckedPolicy& policy, PayloadFacts& facts)
      : policy_(policy), facts_(facts) {}

  void Refuse(absl::string_view path) {
    facts_.violations.push_back({std::string(path), ""});
  }

  // Refuses every duplicate key and every NaN, wherever it stands.
  void FindOddities(const JsonTree& tree, const std::string& path) {
    if (tree.kind == JsonTree::Kind::kNan) Refuse(path);
    const bool is_object = tree.kind == JsonTree::Kind::kObject;
    for (size_t i = 0; i < tree.items.size(); ++i) {
      const JsonTree& item = tree.items[i];
      const std::string item_path =
          is_object ? FieldPath(path, tree.keys[i]) : ItemPath(path, i);
      if (is_object && tree.Find(tree.keys[i]) != &item) Refuse(item_path);
      FindOddities(item, item_path);
    }
  }

  // Validates the payload against one record of declared fields, and fills
  // the slots that these fields hold.
  void ReadShape(TypeId fields) {
    const Cell record = Read(fields, *facts_.tree, "payload");
    for (size_t i = 0; i < policy_.slots.size(); ++i) {
      FillSlot(policy_.slots[i], fields, record, &facts_.slots[i]);
    }
  }

 private:
  void FillSlot(const PayloadSlot& slot, TypeId at, Cell value, Cell* out) {
    for (const std::string& name : slot.names) {
      const Type& record = policy_.types[policy_.types.Required(at)];
      if (record.kind != TypeKind::kRecord) return;
      const int field = record.FindField(name);
      if (field < 0) return;
      at = record.fields[static_cast<size_t>(field)].type;
      if (value.is_present()) {
        value = Cell((*value.parts)[static_cast<size_t>(field)]);
      }
    }
    if (policy_.types.Required(at) == slot.type) *out = value;
  }

  Cell Refused(const std::string& path) {
    Refuse(path);
    return Cell();
  }

  Cell NumberOrRefused(std::optional<int64_t> number, const std::string& path) {
    return number.has_value() ? Cell::Number(*number) : Refused(path);
  }

  Cell Read(TypeId id, const JsonTree& tree, const std::string& path) {
    const Type& type = policy_.types[id];
    if (tree.kind == JsonTree::Kind::kNull) {
      return type.is_optional ? Cell() : Refused(path);
    }
    switch (tree.kind) {
      case JsonTree::Kind::kBool:
        if (type.kind != TypeKind::kBool) return Refused(path);
        return Cell::Bool(tree.boolean);
      case JsonTree::Kind::kNumber:
        return ReadNumber(type.kind, tree, path);
      case JsonTree::Kind::kString:
        return ReadText(policy_.types[type.required], tree, path);
      case JsonTree::Kind::kArray:
        return ReadList(policy_.types[type.required], tree, path);
      case JsonTree::Kind::kObject:
        return ReadRecord(policy_.types[type.required], tree, path);
      case JsonTree::Kind::kNull:
      case JsonTree::Kind::kNan:
        break;
    }
    return Refused(path);
  }

  Cell ReadNumber(TypeKind kind, const JsonTree& tree,
                  const std::string& path) {
    if (kind == TypeKind::kInt) {
      return NumberOrRefused(NumberFromJson(tree.text, 0, false), path);
    }
    if (kind == TypeKind::kUsd) {
      return NumberOrRefused(NumberFromJson(tree.text, 6, false), path);
    }
    if (kind == TypeKind::kDecimal) {
      return NumberOrRefused(NumberFromJson(tree.text, 9, true), path);
    }
    return Refused(path);
  }

  Cell ReadText(const Type& type, const JsonTree& tree,
                const std::string& path) {
    switch (type.kind) {
      case TypeKind::kString:
      case TypeKind::kSymbol:
        return Cell::Text(tree.text);
      case TypeKind::kTimestamp:
        return NumberOrRefused(TimeFromText(tree.text), path);
      case TypeKind::kDuration:
        return NumberOrRefused(DurationFromText(tree.text), path);
      case TypeKind::kEnum:
        for (size_t i = 0; i < type.members.size(); ++i) {
          if (type.members[i] == tree.text) {
            return Cell::Number(static_cast<int64_t>(i));
          }
        }
        return Refused(path);
      default:
        return Refused(path);
    }
  }

  Cell ReadList(const Type& type, const JsonTree& tree,
                const std::string& path) {
    if (type.kind != TypeKind::kList) return Refused(path);
    if (tree.items.size() > static_cast<size_t>(kListItemsMax)) {
      return Refused(path);
    }
    std::vector<Cell> items;
    for (size_t i = 0; i < tree.items.size(); ++i) {
      items.push_back(Read(type.element, tree.items[i], ItemPath(path, i)));
    }
    return Cell::Parts(std::move(items));
  }

  Cell ReadRecord(const Type& type, const JsonTree& tree,
                  const std::string& path) {
    if (type.kind != TypeKind::kRecord) return Refused(path);
    std::vector<Cell> fields;
    for (const Field& field : type.fields) {
      const std::string field_path = FieldPath(path, field.name);
      const JsonTree* const member = tree.Find(field.name);
      Cell value;
      if (member != nullptr) {
        value = Read(field.type, *member, field_path);
      } else if (!policy_.types.is_optional(field.type)) {
        Refuse(field_path);
      }
      fields.push_back(std::move(value));
    }
    return Cell::Parts(std::move(fields));
  }

  const CheckedPolicy& policy_;
  PayloadFacts& facts_;
};

}  // namespace

Cell Cell::Number(int64_t number) {
  Cell cell;
  cell.state = State::kPresent;
  cell.number = number;
  return cell;
}

Cell Cell::Text(absl::string_view text) {
  Cell cell;
  cell.state = State::kPresent;
  cell.text = std::string(text);
  return cell;
}

Cell Cell::Parts(std::vector<Cell> parts) {
  Cell cell;
  cell.state = State::kPresent;
  cell.parts = std::make_shared<const std::vector<Cell>>(std::move(parts));
  return cell;
}

Cell Cell::Fault(absl::string_view why) {
  Cell cell;
  cell.state = State::kFault;
  cell.fault = std::string(why);
  return cell;
}

bool IsTypeKnown(const CheckedPolicy& policy, absl::string_view type) {
  if (policy.has_star) return true;
  for (const IntentType& declared : policy.intent_types) {
    if (declared.layer == LayerId::kPlatform && declared.name == type) {
      return true;
    }
  }
  return false;
}

std::optional<LayerId> TenantLayer(const CheckedPolicy& policy,
                                   absl::string_view slug) {
  for (size_t i = 1; i < policy.layers.size(); ++i) {
    if (policy.layers[i].slug == slug) return static_cast<LayerId>(i);
  }
  return std::nullopt;
}

PayloadFacts ReadPayload(const CheckedPolicy& policy, const Request& request) {
  PayloadFacts facts;
  facts.slots.resize(policy.slots.size());
  PayloadReader reader(policy, facts);
  for (const FieldViolation& violation : request.violations) {
    reader.Refuse(violation.path);
  }
  if (request.intent.spend_micros_usd < 0) reader.Refuse("intent.spend_usd");
  const absl::string_view text = request.intent.payload;
  facts.tree = ReadJsonTree(text.empty() ? "{}" : text);
  if (!facts.tree.has_value() || facts.tree->kind != JsonTree::Kind::kObject) {
    reader.Refuse("payload");
    return facts;
  }
  reader.FindOddities(*facts.tree, "payload");
  if (policy.has_star) reader.ReadShape(policy.star_fields);
  const std::optional<LayerId> tenant =
      TenantLayer(policy, request.tenant.slug);
  for (const IntentType& type : policy.intent_types) {
    if (type.name != request.intent.type) continue;
    if (type.layer == LayerId::kPlatform || type.layer == tenant) {
      reader.ReadShape(type.fields);
    }
  }
  return facts;
}

}  // namespace sgl::reference
