/** Waits until every server lets the new credentials in: what a file says and what a server knows are two things. */
import { setTimeout as sleep } from "node:timers/promises";
import { forwardPodPort } from "../connect/kubectl.ts";
import { accepts, type ServerTarget } from "../connect/login.ts";
import type { ClientHalf } from "../identity/credential.ts";
import type { Prepared } from "../identity/keeper.ts";
import type { SecretStore } from "../identity/store.ts";
import { ConnectionFailure } from "../jetstream/api.ts";
import { DOCUMENTS, NATS, PORTS, serviceHost, storeKey } from "../kubernetes/names.ts";
import type { Environment } from "../model/environment.ts";
import { formatDuration } from "../units.ts";
import { type ConnectionOptions, serversOf } from "./connection.ts";
import { Failure } from "./failures.ts";
import { log } from "./output/terminal.ts";

/** One server, and how it is reached: a forwarded port dies with its pod, so it is opened for each question. */
export interface ProvenServer {
  readonly name: string;
  readonly ask: (clients: readonly ClientHalf[]) => Promise<readonly boolean[]>;
}

/** Every server by itself; undefined where the options name none. @throws UsageError; StoreFailure */
export async function serversToAsk(
  options: Partial<ConnectionOptions>,
  environment: Environment,
  store: SecretStore,
): Promise<readonly ProvenServer[] | undefined> {
  if (options.server === undefined && options.context === undefined && options.kubectl === undefined) return undefined;
  const { servers, tls, timeout } = serversOf({ timeout: "5000", ...options });
  // The authority's certificate is in the store as well: clients have it from there.
  const authority =
    environment.nats.tls && !tls?.ca ? await store.read(storeKey(environment, DOCUMENTS.trust)) : undefined;
  const target = {
    timeout,
    ...(environment.nats.tls || tls ? { tls: { ...tls } } : {}),
    ...(authority ? { authority } : {}),
  };
  const { kubectl } = options;
  if (kubectl === undefined) return servers.map((server) => ({ name: server, ask: asker({ ...target, server }) }));
  return Array.from({ length: environment.nats.servers }, (_, i) => ({
    name: `${NATS.name}-${i}`,
    ask: async (clients) => {
      const { namespace } = environment.kubernetes;
      await using forward = await forwardPodPort({
        ...{ context: kubectl, namespace, pod: `${NATS.name}-${i}`, port: PORTS.natsClient },
      });
      const tlsName = serviceHost(NATS.clientService, environment);
      return await asker({ ...target, tlsName, server: `127.0.0.1:${forward.port}` })(clients);
    },
  }));
}

const asker = (target: ServerTarget) => async (clients: readonly ClientHalf[]) => {
  const answers: boolean[] = [];
  for (const client of clients) answers.push(await accepts(target, client));
  return answers;
};

interface NewHalf {
  readonly name: string;
  readonly client: ClientHalf;
}

/** What clients get once the servers know it. */
const newHalves = (prepared: readonly Prepared[]): NewHalf[] =>
  prepared.flatMap(({ holder: { name }, steps }) =>
    steps.flatMap(({ afterServers, document }) => (afterServers ? [{ name, client: document as ClientHalf }] : [])),
  );

/** Before anything is written: can every server be asked at all? @throws Failure with the way out */
export async function askOnce(servers: readonly ProvenServer[], prepared: readonly Prepared[]): Promise<void> {
  const halves = newHalves(prepared).slice(0, 1);
  const doubts = await Promise.all(servers.map((server) => doubtsOf(server, halves)));
  // That it refuses what nobody told it yet is an answer.
  const silent = doubts.flat().filter(({ silent: said }) => said);
  if (silent.length === 0) return;
  const reasons = silent.map(({ said }) => `- ${said}`).join("\n");
  throw new Failure(
    `Nothing was written: not every server can be asked.\n${reasons}\nWithout --server, --context and --kubectl nobody asks.`,
  );
}

/** Milliseconds between two questions. */
const PAUSE = 5_000;

/**
 * Resolves once every server lets every new credential in.
 * @param patience nanoseconds
 * @throws Failure that says which server does not know which, and where to look
 */
export async function untilAccepted(
  servers: readonly ProvenServer[],
  prepared: readonly Prepared[],
  patience: number,
  { kubernetes: { namespace }, name }: Environment,
): Promise<void> {
  const halves = newHalves(prepared);
  const end = Date.now() + patience / 1e6;
  for (;;) {
    const doubts = (await Promise.all(servers.map((server) => doubtsOf(server, halves)))).flat();
    if (doubts.length === 0) break;
    if (Date.now() >= end) {
      throw new Failure(
        `Clients keep what they have: after ${formatDuration(patience)} not every server takes the new credential.\n` +
          `${doubts.map(({ said }) => `- ${said}`).join("\n")}\n` +
          `Did auth.conf arrive (kubectl -n ${namespace} describe externalsecret ${NATS.authSecret}), and was it taken (kubectl -n ${namespace} ` +
          `logs nats-0 -c nats | grep -i reload)? Then run the same command again; bin/circl identity list ${name} says how it stands.`,
      );
    }
    await sleep(Math.min(PAUSE, Math.max(0, end - Date.now())));
  }
  log(`${servers.map((server) => server.name).join(", ")}: every server takes the new credentials.`);
}

interface Doubt {
  readonly said: string;
  /** It gave no answer. */
  readonly silent: boolean;
}

async function doubtsOf({ name, ask }: ProvenServer, halves: readonly NewHalf[]): Promise<Doubt[]> {
  try {
    const answers = await ask(halves.map(({ client }) => client));
    const refused = halves.filter((_, i) => !answers[i]).map((half) => half.name);
    return refused.length === 0 ? [] : [{ said: `${name} refuses ${refused.join(", ")}`, silent: false }];
  } catch (error) {
    // It may be in the middle of a restart.
    if (!(error instanceof ConnectionFailure)) throw error;
    return [{ said: `${name}: ${error.message}`, silent: true }];
  }
}
