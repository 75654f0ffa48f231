/** Does somebody try to get in? The server has no metric of that; the stream of refusals counts them by its last sequence. */
import { type Alert, withRunbooks } from "../kubernetes/prometheus-rule.ts";
import { keeperOf, REFUSALS } from "../model/audit.ts";
import type { Model } from "../model/resolve.ts";
import { ofStreams, published } from "./series.ts";

/** None where no stream keeps refusals. */
export function auditAlerts(model: Model): Alert[] {
  const keeper = keeperOf(REFUSALS, model);
  if (!keeper) return [];
  const refused = published("namespace", `${ofStreams(model.environment)},stream_name="${keeper.name}"`);
  return [
    withRunbooks(model.environment)({
      name: "NatsLoginsRefused",
      // A client with a stale credential tries every server every 2 s (nats.js, reconnectTimeWait): 300 in ten minutes. A
      // person who mistypes a password five times is refused by three servers each time: 15.
      expr: `${refused} > 30`,
      for: "2m",
      severity: "warning",
      summary: 'NATS refused {{ printf "%.0f" $value }} logins in ten minutes',
      description:
        "A service with a credential that was rotated or revoked, or somebody who guesses. `bin/circl audit` says which user, from where.",
    }),
  ];
}
