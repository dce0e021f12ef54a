#ifndef CONTACTS_CLIENT_CTL_RENDER_H_
#define CONTACTS_CLIENT_CTL_RENDER_H_

#include <cstddef>
#include <iosfwd>

#include "absl/time/time.h"
#include "contacts/v1/contact_service.pb.h"
#include "contacts/v1/contacts.pb.h"
#include "contacts/v1/support_service.pb.h"
#include "google/protobuf/repeated_ptr_field.h"

// Messages of the contract as a person reads them. Text is made printable.
namespace contacts::client {

// How results are shown.
struct RenderOptions {
  bool colour = false;
  std::size_t width = 0;  // Columns of the terminal. 0: no limit.
  absl::Time now;         // Relative times, such as "in 3 h", count from this.
  absl::TimeZone zone;
};

void RenderAccount(const v1::Account& account, const RenderOptions& options, std::ostream& out);

void RenderService(const v1::Service& service, const RenderOptions& options, std::ostream& out);

void RenderServices(const google::protobuf::RepeatedPtrField<v1::Service>& services,
                    const RenderOptions& options, std::ostream& out);

// One line for each change.
void RenderChanges(const google::protobuf::RepeatedPtrField<v1::ContactChange>& changes,
                   const RenderOptions& options, std::ostream& out);

// Everything about one change: its first `max_items` items, and the number of the others.
void RenderChange(const v1::ContactChange& change, std::size_t max_items,
                  const RenderOptions& options, std::ostream& out);

void RenderEvents(const google::protobuf::RepeatedPtrField<v1::ContactChangeEvent>& events,
                  const RenderOptions& options, std::ostream& out);

// The moves of a service's contacts, one a line.
void RenderMoves(const google::protobuf::RepeatedPtrField<v1::ContactMove>& moves,
                 const RenderOptions& options, std::ostream& out);

// An override with its reason and its moves.
void RenderOverride(const v1::ContactOverride& record, const RenderOptions& options,
                    std::ostream& out);

// One event as one line, with the id of its change.
void RenderEventLine(const v1::ContactChangeEvent& event, const RenderOptions& options,
                     std::ostream& out);

// The accounts whose answer is awaited, separated by commas; empty if the change is closed.
std::string AwaitedNames(const v1::ContactChange& change);

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_CTL_RENDER_H_
