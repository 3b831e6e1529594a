// Every method that a server serves, found by asking it, and called without
// generated code: what tests of all methods are made of. A method that is
// added tomorrow is in them by itself.
//
//   for (const MethodDescriptor* method : ServedMethods(channel)) {
//     AnyAnswer answer = CallAny(channel, *method, token,
//     EmptyRequest(*method));
//   }

#ifndef TESTS_ENGINE_ANY_METHOD_H_
#define TESTS_ENGINE_ANY_METHOD_H_

#include <absl/time/time.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sgl::testing {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

// Returns the methods of our own services that the server lists by reflection,
// and checks that besides them it serves health checks and reflection only, and
// that it serves all that are declared (but for a named few, any_method.cc).
std::vector<const MethodDescriptor*> ServedMethods(
    const std::shared_ptr<grpc::Channel>& channel);

std::unique_ptr<Message> EmptyRequest(const MethodDescriptor& method);

// What came back. A stream is canceled after its first message.
struct AnyAnswer {
  grpc::Status status;
  // The message, or the first of the stream; null where none came.
  std::unique_ptr<Message> response;
  // The stream was open, so the caller was let in: a message came, or the
  // deadline passed first.
  bool was_cut = false;

  // Everything a caller sees of it, for comparisons.
  std::string Text() const;
};

// Calls with `authorization: Bearer token`, or without where it is empty.
AnyAnswer CallAny(const std::shared_ptr<grpc::Channel>& channel,
                  const MethodDescriptor& method, const std::string& token,
                  const Message& request,
                  absl::Duration timeout = absl::Seconds(30));

// Calls `visit` with each string field of the request, those of messages in
// it too: a name such as `filter.intent_id`, and what sets it in a request to
// a text. A repeated message or string gets one element.
using SetText = std::function<void(Message* request, const std::string& text)>;
void ForEachTextField(const MethodDescriptor& method,
                      const std::function<void(const std::string& name,
                                               const SetText& set)>& visit);

}  // namespace sgl::testing

#endif  // TESTS_ENGINE_ANY_METHOD_H_
