// Streams that watch rows, and the thread that tells them when to look.
//
// A watch holds no thread and no connection while nothing happens. Upon a
// notification, or once a second without any, one statement asks which of the
// tenants that anybody watches have news, and only their watches look. What a
// watch finds, and how it is sent, is its own business (rpc/watch_stream.h).

#ifndef ENGINE_WATCHES_H_
#define ENGINE_WATCHES_H_

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "storage/watches.h"

namespace sgl::engine {

// One stream. Its methods are called on the watches' thread, or on that of
// whoever stops it, with no lock of ours held; they don't block.
class Watch {
 public:
  virtual ~Watch() = default;
  // There may be something new.
  virtual void Look() = 0;
  // Nothing more will come: send what is being sent, then end so.
  virtual void End(const absl::Status& status) = 0;
};

// Thread-safe. Owned by the engine; has one thread, between Start and Stop.
class Watches {
 public:
  // A watch holds one page of rows at most, which may be 4 MiB of payloads.
  static constexpr size_t kWatchesMax = 512;
  // So that one tenant can't take them all.
  static constexpr size_t kTenantWatchesMax = 64;
  // Looks for changes that no notification told of.
  static constexpr absl::Duration kPollInterval = absl::Seconds(1);
  // All watches look this often, so that their places move on with time: a
  // place far behind costs more to resume from.
  static constexpr absl::Duration kBeatInterval = absl::Seconds(30);
  // Between two questions to the database, however many notifications come.
  static constexpr absl::Duration kPause = absl::Milliseconds(20);

  // Returns which of the tenants changed since a snapshot; all where empty.
  using Reader = std::function<absl::StatusOr<storage::ChangedTenants>(
      const std::vector<std::string>& tenant_ids, const std::string& snapshot)>;

  explicit Watches(Reader reader);
  Watches(const Watches&) = delete;
  Watches& operator=(const Watches&) = delete;
  // Stops.
  ~Watches();

  void Start();
  // Ends every watch with UNAVAILABLE `DRAINING` and joins the thread. Calling
  // it again does nothing.
  void Stop();

  // Adds a watch, which should look once after that. RESOURCE_EXHAUSTED
  // (TOO_MANY_WATCHES), UNAVAILABLE (DRAINING).
  absl::Status Add(std::shared_ptr<Watch> watch, const std::string& tenant_id);
  // Forgets it. Does nothing where it isn't known (any more).
  void Remove(const Watch* watch);

  // Says that some tenant's rows may have changed.
  void NoteChanged();

 private:
  struct Entry {
    std::shared_ptr<Watch> watch;
    std::string tenant_id;
  };

  void Run();
  // Waits for news or the next poll. Returns whether to go on.
  bool AwaitNews();
  // Asks who changed and lets their watches look. Returns whether that could
  // be asked.
  bool LookAround(std::string* snapshot);
  std::vector<std::string> WatchedTenants();

  const Reader reader_;
  Mutex mutex_;
  absl::flat_hash_map<const Watch*, Entry> watches_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, size_t> by_tenant_ ABSL_GUARDED_BY(mutex_);
  bool has_news_ ABSL_GUARDED_BY(mutex_) = false;
  bool is_stopped_ ABSL_GUARDED_BY(mutex_) = false;
  // Confined to the thread.
  absl::Time beat_ = absl::InfinitePast();
  std::jthread thread_;
};

}  // namespace sgl::engine

#endif  // ENGINE_WATCHES_H_
