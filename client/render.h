#ifndef CONTACTS_CLIENT_RENDER_H_
#define CONTACTS_CLIENT_RENDER_H_

#include <cstddef>
#include <iosfwd>

#include "absl/time/time.h"
#include "contacts/v1/contact_service.pb.h"
#include "contacts/v1/contacts.pb.h"
#include "google/protobuf/repeated_ptr_field.h"

// The contract's messages as a person reads them.
namespace contacts::client {

// How results are shown.
struct Look {
  bool colour = false;
  // The moment that relative times count from.
  absl::Time now;
  absl::TimeZone zone;
};

void RenderAccount(const v1::Account& account, const Look& look, std::ostream& out);

void RenderService(const v1::Service& service, const Look& look, std::ostream& out);

void RenderServices(const google::protobuf::RepeatedPtrField<v1::Service>& services,
                    const Look& look, std::ostream& out);

// One line for each change.
void RenderChanges(const google::protobuf::RepeatedPtrField<v1::ContactChange>& changes,
                   const Look& look, std::ostream& out);

// Everything about one change, its items up to `max_items` and the count of the
// others.
void RenderChange(const v1::ContactChange& change, std::size_t max_items, const Look& look,
                  std::ostream& out);

void RenderEvents(const google::protobuf::RepeatedPtrField<v1::ContactChangeEvent>& events,
                  const Look& look, std::ostream& out);

// One event of whichever change, as one line.
void RenderEventLine(const v1::ContactChangeEvent& event, const Look& look, std::ostream& out);

// Accounts whose answer is still awaited, separated by commas.
std::string AwaitedAccounts(const v1::ContactChange& change);

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_RENDER_H_
