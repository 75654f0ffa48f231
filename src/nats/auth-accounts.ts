/**
 * The accounts: SYS, where the servers speak about themselves, CIRCL, which has the streams, and one for everybody who uses them
 * (docs/decisions/0001-services-in-their-own-account.md says why).
 */
import { hasOwnAccount, type Identity, identities, STREAMS_ACCOUNT, SYSTEM_ACCOUNT } from "../model/identity.ts";
import type { Model } from "../model/resolve.ts";
import { AUDITED_EVENTS, auditImports } from "./auth-audit.ts";
import { exportsOf, hearsLogins, importsOf } from "./auth-crossings.ts";
import { accountStore } from "./budget.ts";
import { byteSize, type ConfigBlock } from "./config-file.ts";

/** The variable that auth.conf ends with and nats.conf needs: a file that is empty or cut off does not give it. */
export const LAST_LINE = "SYSTEM_ACCOUNT";

/** Nobody but stream-sync and readers of buckets can make streams or consumers; these stop a loop in one of them. */
const MOST_STREAMS = 1_000;
const MOST_CONSUMERS = 10_000;

/** Of one connection (the server counts no others). A client has an inbox or two; thousands are a leak that would slow every server. */
const MOST_SUBSCRIPTIONS = 1_000;

/** Of the cluster together. People and tools are single processes; more is a key in wrong hands, or a loop. */
const MOST_CONNECTIONS = 100;

/** A service may take half of what one server takes (`nats.maxConnections`): whatever it leaks, others get in everywhere. */
const connectionsOf = ({ kind }: Pick<Identity, "kind">, { environment }: Model): number =>
  kind === "service" ? Math.ceil(environment.nats.maxConnections / 2) : MOST_CONNECTIONS;

/** Nobody comes over a leaf node. */
const limits = (connections: number): ConfigBlock => ({
  max_connections: connections,
  max_subscriptions: MOST_SUBSCRIPTIONS,
  max_leafnodes: 0,
});

/** Settings of every account, without its users. A system account cannot have JetStream. */
export function accountSettings(model: Model): Readonly<Record<string, ConfigBlock>> {
  const own = identities(model).filter(hasOwnAccount);
  const accounts = own.map(({ account }) => account);
  const listeners = own.filter((identity) => hearsLogins(identity, model)).map(({ account }) => account);
  return {
    [SYSTEM_ACCOUNT]: {
      exports: AUDITED_EVENTS.map((stream) => ({ stream, accounts: [STREAMS_ACCOUNT, ...listeners] })),
    },
    [STREAMS_ACCOUNT]: {
      // The account counts max_bytes once per replica (jetstream.go, accountReservation).
      jetstream: {
        max_mem: byteSize(accountStore(model, "memory")),
        max_file: byteSize(model.environment.nats.accountStorage ?? accountStore(model, "file")),
        max_streams: Math.max(MOST_STREAMS, 2 * model.streams.length),
        max_consumers: Math.max(MOST_CONSUMERS, 2 * model.streams.flatMap(({ consumers }) => consumers).length),
      },
      limits: limits(MOST_CONNECTIONS),
      imports: auditImports([STREAMS_ACCOUNT, SYSTEM_ACCOUNT, ...accounts]),
      exports: exportsOf(own, model),
    },
    ...Object.fromEntries(
      own.map((identity) => {
        const bounds = limits(connectionsOf(identity, model));
        return [identity.account, { limits: bounds, imports: importsOf(identity, model) }] as const;
      }),
    ),
  };
}
