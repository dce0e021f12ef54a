#ifndef CONTACTS_SERVER_TELEMETRY_PROCESS_H_
#define CONTACTS_SERVER_TELEMETRY_PROCESS_H_

#include "server/telemetry/metrics.h"

namespace contacts::server {

// Adds what all Prometheus clients tell of their own process, under the usual names.
void AddProcessMetrics(Metrics& metrics);

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_TELEMETRY_PROCESS_H_
