#include "tools/intentctl/audit_files.h"

#include <absl/strings/escaping.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <system_error>
#include <utility>

#include "engine/audit_head.h"
#include "engine/audit_reader.h"
#include "storage/audit_records.h"
#include "storage/uuid.h"

namespace sgl::tools {
namespace {

using engine::AuditCursor;
using engine::AuditVerifier;
using nlohmann::json;
using storage::AuditRecord;
using storage::Seal;

// A segment ends with the seal that makes it larger than this.
constexpr int64_t kSegmentBytes = 16 << 20;
// Entries that one transaction reads.
constexpr int64_t kEntriesAtOnce = 5000;
constexpr char kPrefix[] = "segment-";

std::string SealLine(const Seal& seal) {
  nlohmann::ordered_json line;
  line["first_sequence"] = seal.first_sequence;
  line["head"] = json::parse(engine::HeadJson(seal.head), nullptr, false);
  line["entry_ids"] = seal.entry_ids;
  line["leaf_hashes"] = absl::BytesToHexString(seal.leaf_hashes);
  line["frontier"] = absl::BytesToHexString(seal.frontier);
  return nlohmann::ordered_json{{"seal", line}}.dump();
}

std::string EntryLine(const AuditRecord& record) {
  nlohmann::ordered_json line;
  for (size_t i = 0; i < storage::kAuditColumnCount; ++i) {
    const std::string name(storage::AuditColumnName(i));
    if (record.values[i].has_value()) {
      line[name] = *record.values[i];
    } else {
      line[name] = nullptr;
    }
  }
  return nlohmann::ordered_json{{"entry", line}}.dump();
}

std::optional<Seal> ParseSeal(const json& line) {
  for (const char* field : {"leaf_hashes", "frontier"}) {
    if (!line.contains(field) || !line[field].is_string()) return std::nullopt;
  }
  if (!line.contains("first_sequence") ||
      !line["first_sequence"].is_number_integer() || !line.contains("head") ||
      !line.contains("entry_ids") || !line["entry_ids"].is_array()) {
    return std::nullopt;
  }
  const auto head = engine::ParseHeadJson(line["head"].dump());
  if (!head.ok()) return std::nullopt;
  Seal seal{.head = *head, .first_sequence = line["first_sequence"]};
  for (const json& id : line["entry_ids"]) {
    if (!id.is_string()) return std::nullopt;
    seal.entry_ids.push_back(id);
  }
  seal.leaf_hashes =
      absl::HexStringToBytes(line["leaf_hashes"].get<std::string>());
  seal.frontier = absl::HexStringToBytes(line["frontier"].get<std::string>());
  return seal;
}

// Unset where a column is missing or of another form.
std::optional<AuditRecord> ParseEntry(const json& line) {
  AuditRecord record;
  for (size_t i = 0; i < storage::kAuditColumnCount; ++i) {
    const std::string name(storage::AuditColumnName(i));
    if (!line.contains(name)) return std::nullopt;
    if (line[name].is_null()) continue;
    if (!line[name].is_string()) return std::nullopt;
    record.values[i] = line[name].get<std::string>();
  }
  return record;
}

absl::Status Unreadable(const std::string& path, int64_t line) {
  return absl::InvalidArgumentError(absl::StrCat("`", path, "`, line ", line,
                                                 ": this is no line of an "
                                                 "export"));
}

absl::Status CantWrite(const std::string& path) {
  return absl::FailedPreconditionError(
      absl::StrCat("can't write `", path, "`"));
}

// Writes the segments and the heads.
class SegmentWriter {
 public:
  explicit SegmentWriter(const std::string& folder)
      : folder_(folder),
        heads_(absl::StrCat(folder, "/heads.jsonl"), std::ios::binary) {}

  void Write(const engine::SealWithEntries& item) {
    if (!file_.is_open()) {
      ++counts_.segments;
      file_.open(absl::StrFormat("%s/%s%06d.jsonl", folder_, kPrefix,
                                 counts_.segments),
                 std::ios::binary);
    }
    file_ << SealLine(item.seal) << "\n";
    for (const AuditRecord& record : item.entries) {
      file_ << EntryLine(record) << "\n";
    }
    heads_ << engine::HeadJson(item.seal.head) << "\n";
    ++counts_.seals;
    counts_.entries += static_cast<int64_t>(item.entries.size());
    if (file_.tellp() > kSegmentBytes) Close();
  }

  // Returns whether all was written.
  bool Close() {
    if (file_.is_open()) {
      file_.close();
      is_good_ = is_good_ && file_.good();
    }
    heads_.flush();
    return is_good_ && heads_.good();
  }

  const ExportCounts& counts() const { return counts_; }

 private:
  const std::string folder_;
  std::ofstream file_;
  std::ofstream heads_;
  ExportCounts counts_;
  bool is_good_ = true;
};

absl::Status MakeFolder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return CantWrite(folder);
  if (std::filesystem::exists(absl::StrCat(folder, "/log.json"), error)) {
    return absl::AlreadyExistsError(
        absl::StrCat("`", folder, "` holds an export already"));
  }
  return absl::OkStatus();
}

absl::StatusOr<storage::Transaction> BeginFor(storage::Database& db,
                                              const std::string& log_id) {
  return db.Begin({.tenants = {storage::ReaderOfLog(log_id)}});
}

// Writes the entries that no seal holds, and returns how many.
absl::StatusOr<int64_t> ExportUnsealed(storage::Database& db,
                                       const std::string& log_id,
                                       const std::string& folder) {
  const std::string path = absl::StrCat(folder, "/unsealed.jsonl");
  std::ofstream file(path, std::ios::binary);
  storage::EntryPosition position;
  int64_t count = 0;
  while (true) {
    absl::StatusOr<storage::Transaction> tx = BeginFor(db, log_id);
    if (!tx.ok()) return tx.status();
    const auto states =
        storage::ReadEntryStates(*tx, log_id, position, kEntriesAtOnce);
    if (!states.ok()) return states.status();
    for (const storage::EntryState& state : *states) {
      if (state.is_sealed) continue;
      ++count;
      file << nlohmann::ordered_json{{"id", state.id},
                                     {"action", state.action},
                                     {"is_queued", state.is_queued}}
                  .dump()
           << "\n";
    }
    if (static_cast<int64_t>(states->size()) < kEntriesAtOnce) break;
    position = {.created_at = states->back().created_at,
                .id = states->back().id};
  }
  file.flush();
  if (!file.good()) return CantWrite(path);
  return count;
}

// Reads one segment into the verifier.
class SegmentReader {
 public:
  explicit SegmentReader(AuditVerifier* verifier) : verifier_(verifier) {}

  absl::Status Read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
      return absl::NotFoundError(absl::StrCat("can't read `", path, "`"));
    }
    std::string text;
    for (int64_t number = 1; std::getline(file, text); ++number) {
      const json line = json::parse(text, nullptr, /*allow_exceptions=*/false);
      if (line.is_object() && line.contains("seal")) {
        Flush();
        seal_ = ParseSeal(line["seal"]);
        if (!seal_.has_value()) return Unreadable(path, number);
      } else if (line.is_object() && line.contains("entry") &&
                 seal_.has_value()) {
        std::optional<AuditRecord> entry = ParseEntry(line["entry"]);
        if (!entry.has_value()) return Unreadable(path, number);
        entries_.push_back(*std::move(entry));
      } else {
        return Unreadable(path, number);
      }
    }
    Flush();
    return absl::OkStatus();
  }

 private:
  void Flush() {
    if (seal_.has_value()) verifier_->AddSeal(*seal_, entries_);
    seal_.reset();
    entries_.clear();
  }

  AuditVerifier* const verifier_;
  std::optional<Seal> seal_;
  std::vector<AuditRecord> entries_;
};

absl::Status FeedUnsealedFile(const std::string& path,
                              AuditVerifier* verifier) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::NotFoundError(absl::StrCat("can't read `", path, "`"));
  }
  std::string text;
  for (int64_t number = 1; std::getline(file, text); ++number) {
    const json line = json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!line.is_object() || !line.contains("id") || !line["id"].is_string() ||
        !line.contains("action") || !line["action"].is_string() ||
        !line.contains("is_queued") || !line["is_queued"].is_boolean()) {
      return Unreadable(path, number);
    }
    verifier->AddUnsealed({.id = line["id"],
                           .action = line["action"],
                           .is_queued = line["is_queued"]});
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ExportCounts> ExportAuditLog(storage::Database& db,
                                            const std::string& log_id,
                                            const std::string& folder) {
  const absl::Status made = MakeFolder(folder);
  if (!made.ok()) return made;
  SegmentWriter writer(folder);
  AuditCursor cursor;
  while (!cursor.are_seals_done) {
    absl::StatusOr<storage::Transaction> tx = BeginFor(db, log_id);
    if (!tx.ok()) return tx.status();
    const auto seals =
        engine::ReadSealedEntries(*tx, log_id, kEntriesAtOnce, &cursor);
    if (!seals.ok()) return seals.status();
    for (const engine::SealWithEntries& item : *seals) writer.Write(item);
  }
  if (!writer.Close()) return CantWrite(folder);
  ExportCounts counts = writer.counts();
  const absl::StatusOr<int64_t> unsealed = ExportUnsealed(db, log_id, folder);
  if (!unsealed.ok()) return unsealed.status();
  counts.unsealed = *unsealed;
  // Last: a folder with it is whole.
  const std::string path = absl::StrCat(folder, "/log.json");
  std::ofstream file(path, std::ios::binary);
  file << nlohmann::ordered_json{{"format", 1},
                                 {"log", log_id},
                                 {"entries", counts.entries},
                                 {"segments", counts.segments}}
              .dump()
       << "\n";
  file.flush();
  if (!file.good()) return CantWrite(path);
  return counts;
}

absl::StatusOr<std::string> ExportedLog(const std::string& folder) {
  const std::string path = absl::StrCat(folder, "/log.json");
  std::ifstream file(path, std::ios::binary);
  const json log = json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (!file || !log.is_object() || log.value("format", 0) != 1 ||
      !log.contains("log") || !log["log"].is_string()) {
    return absl::InvalidArgumentError(
        absl::StrCat("`", folder,
                     "` holds no export: `log.json` is not there "
                     "or can't be read"));
  }
  return log["log"].get<std::string>();
}

absl::StatusOr<std::vector<storage::SealHead>> ReadHeadsFile(
    const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::NotFoundError(absl::StrCat("can't read `", path, "`"));
  }
  std::ostringstream text;
  text << file.rdbuf();
  absl::StatusOr<std::vector<storage::SealHead>> heads =
      engine::ParseHeads(text.str());
  if (heads.ok()) return heads;
  return absl::InvalidArgumentError(
      absl::StrCat("`", path, "`: ", heads.status().message()));
}

absl::Status FeedExport(const std::string& folder, AuditVerifier* verifier) {
  std::vector<std::string> segments;
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = file.path().filename().string();
    if (absl::StartsWith(name, kPrefix)) segments.push_back(file.path());
  }
  std::sort(segments.begin(), segments.end());
  SegmentReader reader(verifier);
  for (const std::string& segment : segments) {
    const absl::Status read = reader.Read(segment);
    if (!read.ok()) return read;
  }
  return FeedUnsealedFile(absl::StrCat(folder, "/unsealed.jsonl"), verifier);
}

}  // namespace sgl::tools
