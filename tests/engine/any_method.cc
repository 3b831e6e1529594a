#include "tests/engine/any_method.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <google/protobuf/dynamic_message.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/check.h"

namespace sgl::testing {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::MessageFactory;

constexpr char kReflection[] = "grpc.reflection.v1alpha.ServerReflection";

std::unique_ptr<Message> New(const Descriptor* type) {
  SGL_CHECK(type != nullptr);
  return std::unique_ptr<Message>(
      MessageFactory::generated_factory()->GetPrototype(type)->New());
}

grpc::ByteBuffer ToBytes(const Message& message) {
  const grpc::Slice slice(message.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

std::unique_ptr<Message> FromBytes(const grpc::ByteBuffer& bytes,
                                   const Descriptor* type) {
  std::vector<grpc::Slice> slices;
  SGL_CHECK(bytes.Dump(&slices).ok());
  std::string text;
  for (const grpc::Slice& slice : slices) {
    text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  std::unique_ptr<Message> message = New(type);
  SGL_CHECK(message->ParseFromString(text));
  return message;
}

// Waits for the one operation under way; returns whether it succeeded.
bool Next(grpc::CompletionQueue& queue) {
  void* tag = nullptr;
  bool ok = false;
  SGL_CHECK(queue.Next(&tag, &ok));
  return ok;
}

// The fields from the request down to the text.
using Path = std::vector<const FieldDescriptor*>;

void Set(Message* message, const Path& path, const std::string& text) {
  for (size_t i = 0; i + 1 < path.size(); ++i) {
    const auto* reflection = message->GetReflection();
    message = !path[i]->is_repeated()
                  ? reflection->MutableMessage(message, path[i])
              : reflection->FieldSize(*message, path[i]) > 0
                  ? reflection->MutableRepeatedMessage(message, path[i], 0)
                  : reflection->AddMessage(message, path[i]);
  }
  const auto* reflection = message->GetReflection();
  if (path.back()->is_repeated()) {
    reflection->AddString(message, path.back(), text);
  } else {
    reflection->SetString(message, path.back(), text);
  }
}

// Methods that the interface declares and that no server serves yet. Whoever
// serves one takes it off; any other that answers UNIMPLEMENTED is a mistake.
constexpr std::array<absl::string_view, 0> kDeclaredOnly = {};

bool IsDeclaredOnly(const MethodDescriptor& method) {
  return std::find(kDeclaredOnly.begin(), kDeclaredOnly.end(),
                   method.full_name()) != kDeclaredOnly.end();
}

void Visit(
    const Descriptor& type, Path& path, std::set<const Descriptor*>& within,
    const std::function<void(const std::string&, const SetText&)>& visit) {
  // A message within itself is visited once.
  if (!within.insert(&type).second) return;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* field = type.field(i);
    path.push_back(field);
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      Visit(*field->message_type(), path, within, visit);
    } else if (field->type() == FieldDescriptor::TYPE_STRING) {
      std::string name;
      for (const FieldDescriptor* step : path) {
        absl::StrAppend(&name, name.empty() ? "" : ".", step->name());
      }
      visit(name, [path](Message* request, const std::string& text) {
        Set(request, path, text);
      });
    }
    path.pop_back();
  }
  within.erase(&type);
}

}  // namespace

std::string AnyAnswer::Text() const {
  return absl::StrCat(static_cast<int>(status.error_code()), " ",
                      status.error_message(), "\n", status.error_details(),
                      "\n", response == nullptr ? "" : response->DebugString());
}

std::unique_ptr<Message> EmptyRequest(const MethodDescriptor& method) {
  return New(method.input_type());
}

AnyAnswer CallAny(const std::shared_ptr<grpc::Channel>& channel,
                  const MethodDescriptor& method, const std::string& token,
                  const Message& request, absl::Duration timeout) {
  grpc::ClientContext context;
  if (!token.empty()) {
    context.AddMetadata("authorization", absl::StrCat("Bearer ", token));
  }
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  grpc::CompletionQueue queue;
  grpc::GenericStub stub(channel);
  auto call = stub.PrepareCall(
      &context,
      absl::StrCat("/", method.service()->full_name(), "/", method.name()),
      &queue);
  AnyAnswer answer;
  call->StartCall(nullptr);
  Next(queue);
  call->Write(ToBytes(request), grpc::WriteOptions().set_last_message(),
              nullptr);
  Next(queue);
  grpc::ByteBuffer bytes;
  call->Read(&bytes, nullptr);
  if (Next(queue)) {
    answer.response = FromBytes(bytes, method.output_type());
    if (method.server_streaming()) {
      answer.was_cut = true;
      context.TryCancel();
    }
  }
  call->Finish(&answer.status, nullptr);
  Next(queue);
  // A stream without events says nothing at all.
  if (method.server_streaming() &&
      answer.status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    answer.was_cut = true;
  }
  queue.Shutdown();
  return answer;
}

std::vector<const MethodDescriptor*> ServedMethods(
    const std::shared_ptr<grpc::Channel>& channel) {
  const DescriptorPool& pool = *DescriptorPool::generated_pool();
  const auto* reflection = pool.FindServiceByName(kReflection);
  SGL_CHECK(reflection != nullptr);
  const MethodDescriptor& info = *reflection->method(0);
  const std::unique_ptr<Message> request = EmptyRequest(info);
  request->GetReflection()->SetString(
      request.get(), info.input_type()->FindFieldByName("list_services"), "*");
  const AnyAnswer answer = CallAny(channel, info, "", *request);
  SGL_CHECK(answer.response != nullptr) << answer.status.error_message();
  const Message& list = answer.response->GetReflection()->GetMessage(
      *answer.response,
      info.output_type()->FindFieldByName("list_services_response"));
  const FieldDescriptor* field =
      list.GetDescriptor()->FindFieldByName("service");
  std::vector<const MethodDescriptor*> methods;
  for (int i = 0; i < list.GetReflection()->FieldSize(list, field); ++i) {
    const Message& item =
        list.GetReflection()->GetRepeatedMessage(list, field, i);
    const std::string name = item.GetReflection()->GetString(
        item, item.GetDescriptor()->FindFieldByName("name"));
    if (name == kReflection || name == "grpc.health.v1.Health") continue;
    EXPECT_TRUE(absl::StartsWith(name, "intent.v1.")) << name;
    const auto* service = pool.FindServiceByName(name);
    SGL_CHECK(service != nullptr) << name;
    for (int j = 0; j < service->method_count(); ++j) {
      const MethodDescriptor* method = service->method(j);
      const grpc::Status status =
          CallAny(channel, *method, "", *EmptyRequest(*method)).status;
      const bool is_served =
          status.error_code() != grpc::StatusCode::UNIMPLEMENTED;
      EXPECT_EQ(is_served, !IsDeclaredOnly(*method))
          << method->full_name()
          << (is_served ? " is served: take it off kDeclaredOnly"
                        : " is declared and not served");
      if (is_served) methods.push_back(method);
    }
  }
  return methods;
}

void ForEachTextField(
    const MethodDescriptor& method,
    const std::function<void(const std::string&, const SetText&)>& visit) {
  Path path;
  std::set<const Descriptor*> within;
  Visit(*method.input_type(), path, within, visit);
}

}  // namespace sgl::testing
