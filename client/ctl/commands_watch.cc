#include <cstdint>
#include <memory>
#include <ostream>
#include <string>

#include "client/ctl/client.h"
#include "client/ctl/commands.h"
#include "client/ctl/render.h"

namespace contacts::client {
namespace {

struct WatchInput {
  std::string service;
  std::string resume_token;
  bool is_observer = false;
  int64_t count = 0;
};

int WatchChanges(Client& client, const WatchInput& input) {
  v1::WatchContactChangesRequest request;
  request.set_service(input.service);
  request.set_resume_token(input.resume_token);
  return client.Watch(
      {.action = "watch the contact changes"}, request, input.is_observer, input.count,
      [](const v1::WatchContactChangesResponse& response, const RenderOptions& options,
         std::ostream& out) { RenderEventLine(response.event(), options, out); });
}

}  // namespace

void AddWatchCommand(CLI::App& app, Action& chosen) {
  CLI::App& watch =
      AddCommand(app, "watch",
                 "Shows what happens to contact changes as it happens, until Ctrl-C; goes on by "
                 "itself where the connection breaks",
                 "contactctl watch\n"
                 "  contactctl watch --observer --output=json");
  auto input = std::make_shared<WatchInput>();
  watch.add_option("--service", input->service, "Only changes with an item on this service")
      ->type_name("SERVICE");
  watch
      .add_option("--resume-token", input->resume_token,
                  "Goes on after the line of --output=json that had this token")
      ->type_name("TEXT");
  watch.add_flag("--observer", input->is_observer, "Everything, for those who may observe");
  watch.add_option("--count", input->count, "Ends after so many events")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  Choose(watch, chosen, [input](Client& client) { return WatchChanges(client, *input); });
}

}  // namespace contacts::client
