// The part of convert.h that is about what effects wrote.

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/generated_enum_reflection.h>

#include <string>

#include "engine/error.h"
#include "engine/rpc/convert.h"
#include "storage/uuid.h"

namespace sgl::engine {
namespace {

// The states of the database's enums are named like those of the interface's,
// without the enum's own name before them, in capital or in small letters.
template <typename Enum>
std::string PrefixOf() {
  constexpr size_t kUnspecified = sizeof("UNSPECIFIED") - 1;
  const std::string& first =
      google::protobuf::GetEnumDescriptor<Enum>()->value(0)->name();
  return first.substr(0, first.size() - kUnspecified);
}

// Unspecified for a state that this build does not know.
template <typename Enum>
Enum FromText(const std::string& text) {
  const auto* value =
      google::protobuf::GetEnumDescriptor<Enum>()->FindValueByName(
          absl::StrCat(PrefixOf<Enum>(), absl::AsciiStrToUpper(text)));
  return value == nullptr ? static_cast<Enum>(0)
                          : static_cast<Enum>(value->number());
}

enum class Letters { kCapital, kSmall };

// Sets the state's name; leaves it empty for UNSPECIFIED. INVALID_ARGUMENT for
// a number that is none.
template <typename Enum>
absl::Status SetState(absl::string_view field, Enum state, Letters letters,
                      std::string* text) {
  if (static_cast<int>(state) == 0) return absl::OkStatus();
  const auto* value =
      google::protobuf::GetEnumDescriptor<Enum>()->FindValueByNumber(
          static_cast<int>(state));
  if (value == nullptr) return BadField(field, "this number means nothing");
  *text = value->name().substr(PrefixOf<Enum>().size());
  if (letters == Letters::kSmall) absl::AsciiStrToLower(text);
  return absl::OkStatus();
}

template <typename Row, typename Message>
void SetTimes(const Row& row, Message* message) {
  *message->mutable_create_time() = ToProtoTime(row.created_at);
  *message->mutable_update_time() = ToProtoTime(row.updated_at);
}

}  // namespace

absl::Status ToProto(const storage::TicketRow& row,
                     intent::v1::Ticket* ticket) {
  ticket->set_id(row.id);
  ticket->set_tenant_id(row.tenant_id);
  ticket->set_reporter(row.reporter);
  ticket->set_agent(row.agent);
  ticket->set_status(FromText<intent::v1::TicketStatus>(row.status));
  ticket->set_severity(FromText<intent::v1::TicketSeverity>(row.severity));
  ticket->set_category(FromText<intent::v1::TicketCategory>(row.category));
  ticket->set_title(row.title);
  ticket->set_description(row.description);
  SetTimes(row, ticket);
  return absl::OkStatus();
}

absl::Status ToProto(const storage::TicketCommentRow& row,
                     intent::v1::TicketComment* comment) {
  comment->set_id(row.id);
  comment->set_tenant_id(row.tenant_id);
  comment->set_ticket_id(row.ticket_id);
  comment->set_author(row.author);
  comment->set_body(row.body);
  SetTimes(row, comment);
  return absl::OkStatus();
}

absl::Status ToProto(const storage::KbDocumentRow& row,
                     intent::v1::KbDocument* document) {
  document->set_id(row.id);
  document->set_tenant_id(row.tenant_id);
  document->set_title(row.title);
  document->set_slug(row.slug);
  document->set_body(row.body);
  document->set_status(FromText<intent::v1::KbDocumentStatus>(row.status));
  for (const std::string& tag : row.tags) document->add_tags(tag);
  SetTimes(row, document);
  return absl::OkStatus();
}

absl::Status ToProto(const storage::KbMatchRow& row,
                     intent::v1::KbDocumentMatch* match) {
  match->set_id(row.id);
  match->set_tenant_id(row.tenant_id);
  match->set_title(row.title);
  match->set_slug(row.slug);
  match->set_snippet(row.snippet);
  match->set_score(static_cast<double>(row.rank) / 1e6);
  SetTimes(row, match);
  return absl::OkStatus();
}

absl::Status ToProto(const storage::CrmContactRow& row,
                     intent::v1::CrmContact* contact) {
  contact->set_id(row.id);
  contact->set_tenant_id(row.tenant_id);
  contact->set_first_name(row.first_name);
  contact->set_last_name(row.last_name);
  contact->set_email(row.email);
  contact->set_phone(row.phone);
  contact->set_company(row.company);
  contact->set_source(row.source);
  for (const std::string& tag : row.tags) contact->add_tags(tag);
  contact->set_notes(row.notes);
  SetTimes(row, contact);
  return absl::OkStatus();
}

absl::Status ToProto(const storage::CrmCompanyRow& row,
                     intent::v1::CrmCompany* company) {
  company->set_id(row.id);
  company->set_tenant_id(row.tenant_id);
  company->set_name(row.name);
  company->set_domain(row.domain);
  company->set_industry(row.industry);
  company->set_phone(row.phone);
  company->set_website(row.website);
  company->set_notes(row.notes);
  SetTimes(row, company);
  return absl::OkStatus();
}

absl::Status ToProto(const storage::CrmSegmentRow& row,
                     intent::v1::CrmSegment* segment) {
  segment->set_id(row.id);
  segment->set_tenant_id(row.tenant_id);
  segment->set_name(row.name);
  segment->set_description(row.description);
  segment->set_filters(row.filters);
  SetTimes(row, segment);
  return absl::OkStatus();
}

absl::Status ToProto(const storage::LedgerEntryRow& row,
                     intent::v1::LedgerEntry* entry) {
  entry->set_id(row.id);
  entry->set_tenant_id(row.tenant_id);
  entry->set_entry_type(FromText<intent::v1::LedgerEntryType>(row.entry_type));
  entry->set_category(FromText<intent::v1::LedgerCategory>(row.category));
  entry->set_amount_cents(row.amount_cents);
  entry->set_currency(row.currency);
  entry->set_description(row.description);
  entry->set_external_ref(row.external_ref);
  entry->set_meta(row.meta);
  entry->set_intent_id(row.intent_id);
  entry->set_spend_micros_usd(row.spend_micros_usd);
  *entry->mutable_occur_time() = ToProtoTime(row.created_at);
  *entry->mutable_create_time() = ToProtoTime(row.recorded_at);
  return absl::OkStatus();
}

absl::StatusOr<storage::TicketFilter> FromProto(
    const intent::v1::TicketFilter& filter) {
  storage::TicketFilter result;
  absl::Status status = SetState("filter.status", filter.status(),
                                 Letters::kCapital, &result.status);
  if (status.ok()) {
    status = SetState("filter.severity", filter.severity(), Letters::kCapital,
                      &result.severity);
  }
  if (status.ok()) {
    status = SetState("filter.category", filter.category(), Letters::kCapital,
                      &result.category);
  }
  if (!status.ok()) return status;
  return result;
}

absl::StatusOr<storage::KbDocumentFilter> FromProto(
    const intent::v1::KbDocumentFilter& filter) {
  storage::KbDocumentFilter result;
  const absl::Status status = SetState("filter.status", filter.status(),
                                       Letters::kSmall, &result.status);
  if (!status.ok()) return status;
  return result;
}

absl::StatusOr<storage::LedgerEntryFilter> FromProto(
    const intent::v1::LedgerEntryFilter& filter) {
  storage::LedgerEntryFilter result;
  result.intent_id = filter.intent_id();
  if (!result.intent_id.empty() && !storage::IsUuid(result.intent_id)) {
    return BadField("filter.intent_id", "it is no UUID");
  }
  absl::Status status = SetState("filter.entry_type", filter.entry_type(),
                                 Letters::kSmall, &result.entry_type);
  if (status.ok()) {
    status = SetState("filter.category", filter.category(), Letters::kSmall,
                      &result.category);
  }
  if (!status.ok()) return status;
  const auto start = FromProtoTime("filter.start_time", filter.has_start_time(),
                                   filter.start_time());
  if (!start.ok()) return start.status();
  const auto end = FromProtoTime("filter.end_time", filter.has_end_time(),
                                 filter.end_time());
  if (!end.ok()) return end.status();
  result.start = *start;
  result.end = *end;
  return result;
}

}  // namespace sgl::engine
