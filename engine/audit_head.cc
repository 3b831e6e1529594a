#include "engine/audit_head.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>

#include <nlohmann/json.hpp>

#include "engine/merkle.h"
#include "storage/uuid.h"

namespace sgl::engine {
namespace {

// Ends with the number of the form: another form is another leaf.
constexpr absl::string_view kLeafForm = "intent-engine audit entry 1\n";
constexpr absl::string_view kHeadForm = "intent-engine audit head 1\n";
constexpr size_t kLengthBytes = 8;
constexpr size_t kSignatureBytes = 64;
constexpr size_t kKeyIdLengthMax = 64;
// The years 1 to 9999.
constexpr int64_t kMicrosMin = -62'135'596'800'000'000;
constexpr int64_t kMicrosMax = 253'402'300'799'999'999;

void AppendLength(uint64_t length, std::string& out) {
  char bytes[kLengthBytes];
  for (char& byte : bytes) {
    byte = static_cast<char>(length >> 56);
    length <<= 8;
  }
  out.append(bytes, kLengthBytes);
}

absl::Status NoHead() {
  return absl::InvalidArgumentError(
      "this is no head: a line of JSON with log, tree_size, root_hash, "
      "time_micros, key_id and signature is wanted");
}

bool IsHex(absl::string_view text) {
  return text.size() % 2 == 0 &&
         text.find_first_not_of("0123456789abcdef") == absl::string_view::npos;
}

}  // namespace

std::string AuditLeaf(const storage::AuditRecord& record) {
  size_t size = kLeafForm.size();
  for (const std::optional<std::string>& value : record.values) {
    size += 1 + (value.has_value() ? kLengthBytes + value->size() : 0);
  }
  std::string leaf;
  leaf.reserve(size);
  absl::StrAppend(&leaf, kLeafForm);
  for (const std::optional<std::string>& value : record.values) {
    leaf.push_back(value.has_value() ? '\1' : '\0');
    if (!value.has_value()) continue;
    AppendLength(value->size(), leaf);
    leaf += *value;
  }
  return leaf;
}

std::string AuditLeafHash(const storage::AuditRecord& record) {
  return LeafHash(AuditLeaf(record));
}

std::string HeadNote(const storage::SealHead& head) {
  return absl::StrCat(kHeadForm, "log ", head.log_id, "\nsize ", head.tree_size,
                      "\nroot ", absl::BytesToHexString(head.root_hash),
                      "\ntime ", absl::ToUnixMicros(head.sealed_at), "\nkey ",
                      head.key_id, "\n");
}

std::string HeadJson(const storage::SealHead& head) {
  nlohmann::ordered_json json;
  json["log"] = head.log_id;
  json["tree_size"] = head.tree_size;
  json["root_hash"] = absl::BytesToHexString(head.root_hash);
  json["time_micros"] = absl::ToUnixMicros(head.sealed_at);
  json["key_id"] = head.key_id;
  json["signature"] = absl::BytesToHexString(head.signature);
  return json.dump();
}

absl::StatusOr<storage::SealHead> ParseHeadJson(absl::string_view line) {
  const nlohmann::json json = nlohmann::json::parse(
      line.begin(), line.end(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return NoHead();
  for (const char* field : {"log", "root_hash", "key_id", "signature"}) {
    if (!json.contains(field) || !json[field].is_string()) return NoHead();
  }
  for (const char* field : {"tree_size", "time_micros"}) {
    if (!json.contains(field) || !json[field].is_number_integer()) {
      return NoHead();
    }
  }
  const std::string root = json["root_hash"];
  const std::string signature = json["signature"];
  const int64_t micros = json["time_micros"];
  storage::SealHead head{.log_id = json["log"],
                         .tree_size = json["tree_size"],
                         .key_id = json["key_id"]};
  const bool is_signed =
      !head.key_id.empty() && signature.size() == 2 * kSignatureBytes;
  const bool is_unsigned = head.key_id.empty() && signature.empty();
  if (!storage::IsUuid(head.log_id) || head.tree_size < 1 || !IsHex(root) ||
      root.size() != 2 * kMerkleHashBytes || !IsHex(signature) ||
      head.key_id.size() > kKeyIdLengthMax || micros < kMicrosMin ||
      micros > kMicrosMax || !(is_signed || is_unsigned)) {
    return NoHead();
  }
  head.root_hash = absl::HexStringToBytes(root);
  head.signature = absl::HexStringToBytes(signature);
  head.sealed_at = absl::FromUnixMicros(micros);
  return head;
}

absl::StatusOr<std::vector<storage::SealHead>> ParseHeads(
    absl::string_view text) {
  std::vector<storage::SealHead> heads;
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    absl::StatusOr<storage::SealHead> head = ParseHeadJson(lines[i]);
    if (head.ok()) {
      heads.push_back(*std::move(head));
    } else if (i + 1 < lines.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", i + 1, ": ", head.status().message()));
    }
  }
  return heads;
}

}  // namespace sgl::engine
