// ReadService over gRPC: reads requests, asks storage, converts answers; no
// logic of its own. Internal to engine/rpc.

#ifndef ENGINE_RPC_READ_SERVICE_H_
#define ENGINE_RPC_READ_SERVICE_H_

#include <absl/status/status.h>

#include "engine/rpc/call.h"
#include "intent/v1/read_service.grpc.pb.h"
#include "storage/database.h"

namespace sgl::engine {

// Thread-safe. Borrows what it is made of, which outlives the gRPC server.
class ReadService final : public intent::v1::ReadService::CallbackService {
 public:
  ReadService(Calls* calls, storage::Database* db);

  grpc::ServerUnaryReactor* SearchKbDocuments(
      grpc::CallbackServerContext* context,
      const intent::v1::SearchKbDocumentsRequest* request,
      intent::v1::SearchKbDocumentsResponse* response) override;
  grpc::ServerUnaryReactor* GetKbDocument(
      grpc::CallbackServerContext* context,
      const intent::v1::GetKbDocumentRequest* request,
      intent::v1::GetKbDocumentResponse* response) override;
  grpc::ServerUnaryReactor* ListKbDocuments(
      grpc::CallbackServerContext* context,
      const intent::v1::ListKbDocumentsRequest* request,
      intent::v1::ListKbDocumentsResponse* response) override;
  grpc::ServerUnaryReactor* GetTicket(
      grpc::CallbackServerContext* context,
      const intent::v1::GetTicketRequest* request,
      intent::v1::GetTicketResponse* response) override;
  grpc::ServerUnaryReactor* ListTickets(
      grpc::CallbackServerContext* context,
      const intent::v1::ListTicketsRequest* request,
      intent::v1::ListTicketsResponse* response) override;
  grpc::ServerUnaryReactor* ListTicketComments(
      grpc::CallbackServerContext* context,
      const intent::v1::ListTicketCommentsRequest* request,
      intent::v1::ListTicketCommentsResponse* response) override;
  grpc::ServerUnaryReactor* GetCrmContact(
      grpc::CallbackServerContext* context,
      const intent::v1::GetCrmContactRequest* request,
      intent::v1::GetCrmContactResponse* response) override;
  grpc::ServerUnaryReactor* ListCrmContacts(
      grpc::CallbackServerContext* context,
      const intent::v1::ListCrmContactsRequest* request,
      intent::v1::ListCrmContactsResponse* response) override;
  grpc::ServerUnaryReactor* ListCrmCompanies(
      grpc::CallbackServerContext* context,
      const intent::v1::ListCrmCompaniesRequest* request,
      intent::v1::ListCrmCompaniesResponse* response) override;
  grpc::ServerUnaryReactor* ListCrmSegments(
      grpc::CallbackServerContext* context,
      const intent::v1::ListCrmSegmentsRequest* request,
      intent::v1::ListCrmSegmentsResponse* response) override;
  grpc::ServerUnaryReactor* GetLedgerEntry(
      grpc::CallbackServerContext* context,
      const intent::v1::GetLedgerEntryRequest* request,
      intent::v1::GetLedgerEntryResponse* response) override;
  grpc::ServerUnaryReactor* ListLedgerEntries(
      grpc::CallbackServerContext* context,
      const intent::v1::ListLedgerEntriesRequest* request,
      intent::v1::ListLedgerEntriesResponse* response) override;

 private:
  // Starts a call that `read` answers from one transaction of the caller's
  // tenant.
  template <typename Request, typename Response>
  grpc::ServerUnaryReactor* Start(
      grpc::CallbackServerContext* context, Method method,
      absl::Status (*read)(storage::Transaction&, const Request&, Response*),
      const Request* request, Response* response);

  Calls* const calls_;
  storage::Database* const db_;
};

}  // namespace sgl::engine

#endif  // ENGINE_RPC_READ_SERVICE_H_
