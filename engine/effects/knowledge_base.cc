// Effects on the knowledge base.

#include "engine/effects/families.h"

namespace sgl::engine {
namespace {

constexpr char kNoDocument[] = "`document_id` names no document of this tenant";

}  // namespace

std::vector<EffectDecl> KnowledgeBaseEffects() {
  return {
      {.intent_type = "KB_DOCUMENT_CREATE",
       .summary = "Writes a new document, as a draft.",
       .fields = {{"title", "string"}, {"slug", "string"}, {"body", "string"}},
       .output = {"document_id"},
       .tables = {"kb_documents"}},
      {.intent_type = "KB_DOCUMENT_UPDATE",
       .summary = "Changes a document's words; what is left out stays.",
       .fields = {{"document_id", "string"},
                  {"title", "string?"},
                  {"slug", "string?"},
                  {"body", "string?"}},
       .output = {"document_id"},
       .missing = kNoDocument,
       .needs_change = true,
       .tables = {"kb_documents"}},
      {.intent_type = "KB_DOCUMENT_TAG",
       .summary =
           "Puts a tag on a document; makes the tag where there is none.",
       .fields = {{"document_id", "string"}, {"tag", "string"}},
       .output = {"tag_id"},
       .missing = kNoDocument,
       .tables = {"kb_tags", "kb_tag_on_document"}},
      {.intent_type = "KB_DOCUMENT_UNTAG",
       .summary = "Takes a tag off a document.",
       .fields = {{"document_id", "string"}, {"tag", "string"}},
       .output = {"tag_id"},
       .missing = "`document_id` names no document of this tenant that has "
                  "this `tag`",
       .tables = {"kb_tag_on_document"}},
      {.intent_type = "KB_DOCUMENT_PUBLISH",
       .summary = "Publishes a document, whatever its status is.",
       .fields = {{"document_id", "string"}},
       .output = {"document_id"},
       .missing = kNoDocument,
       .tables = {"kb_documents"}},
      {.intent_type = "KB_DOCUMENT_ARCHIVE",
       .summary = "Archives a document, whatever its status is.",
       .fields = {{"document_id", "string"}},
       .output = {"document_id"},
       .missing = kNoDocument,
       .tables = {"kb_documents"}},
  };
}

}  // namespace sgl::engine
