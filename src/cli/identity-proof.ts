/** Asks every server whom it lets in: what a file says and what a server knows are two things. */
import { forwardPodPort } from "../connect/kubectl.ts";
import { accepts, type ServerTarget } from "../connect/login.ts";
import type { ClientHalf } from "../identity/credential.ts";
import type { Held, Prepared } from "../identity/keeper.ts";
import type { SecretStore } from "../identity/store.ts";
import { DOCUMENTS, NATS, PORTS, serviceHost, storeKey } from "../kubernetes/names.ts";
import type { Environment } from "../model/environment.ts";
import { formatDuration } from "../units.ts";
import { type ConnectionOptions, serversOf } from "./connection.ts";
import { Failure } from "./failures.ts";
import { log } from "./output/terminal.ts";
import { doubtsOfAll, listed, namesOf, type ProvenServer, until } from "./server-answers.ts";

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
    ask: async (clients, goesOn) => {
      const { namespace } = environment.kubernetes;
      await using forward = await forwardPodPort({
        ...{ context: kubectl, namespace, pod: `${NATS.name}-${i}`, port: PORTS.natsClient },
      });
      const tlsName = serviceHost(NATS.clientService, environment);
      return await asker({ ...target, tlsName, server: `127.0.0.1:${forward.port}` })(clients, goesOn);
    },
  }));
}

const asker =
  (target: ServerTarget): ProvenServer["ask"] =>
  async (clients, goesOn = () => true) => {
    const answers: boolean[] = [];
    for (const [i, client] of clients.entries()) {
      const answer = await accepts(target, client);
      answers.push(answer);
      if (!goesOn(answer, i)) break;
    }
    return answers;
  };

/** What clients get: of a rotation, once the servers know it. */
const newHalves = (prepared: readonly Prepared[]): Held[] =>
  prepared.flatMap(({ holder: { name }, steps }) =>
    steps.flatMap(({ half, document }) => (half === "client" ? [{ name, client: document as ClientHalf }] : [])),
  );

/** Before anything is written: can every server be asked at all? @throws Failure with the way out */
export async function askOnce(servers: readonly ProvenServer[], prepared: readonly Prepared[]): Promise<void> {
  const doubts = await doubtsOfAll(servers, { taken: newHalves(prepared).slice(0, 1) });
  // That it refuses what nobody told it yet is an answer.
  const silent = doubts.filter(({ silent: said }) => said);
  if (silent.length === 0) return;
  throw new Failure(
    `Nothing was written: not every server can be asked.\n${listed(silent)}\nWithout --server, --context and --kubectl nobody asks.`,
  );
}

/**
 * Before a rotation is finished: does every server let in what clients have? Else its clients are locked out with it.
 * @throws Failure that says which server does not know which, and the way out
 */
export async function mustTake(
  servers: readonly ProvenServer[],
  held: readonly Held[],
  environment: Environment,
): Promise<void> {
  const doubts = await doubtsOfAll(servers, { taken: held });
  if (doubts.length === 0) return;
  throw new Failure(
    `Nothing was finished: not every server takes what clients have now.\n${listed(doubts)}\n` +
      `${whereToLook(environment)} Then run the same command again; with --wait 0s nobody asks.`,
  );
}

/**
 * Resolves once every server lets every new credential in.
 * @param patience nanoseconds
 * @throws Failure that says which server does not know which, and where to look
 */
export async function untilAccepted(
  servers: readonly ProvenServer[],
  prepared: readonly Prepared[],
  patience: number,
  environment: Environment,
): Promise<void> {
  const doubts = await until(servers, { taken: newHalves(prepared) }, patience);
  if (doubts.length > 0) {
    throw new Failure(
      `Clients keep what they have: after ${formatDuration(patience)} not every server takes the new credential.\n` +
        `${listed(doubts)}\n${whereToLook(environment)} Then run the same command again; ` +
        `bin/circl identity list ${environment.name} says how it stands.`,
    );
  }
  log(`${namesOf(servers)}: every server takes the new credentials.`);
}

/**
 * After a revoke: resolves once every server turns away what clients had, and takes what they shall have.
 * @param patience nanoseconds
 * @throws Failure that says which server still lets whom in, and where to look
 */
export async function untilEnded(
  servers: readonly ProvenServer[],
  former: readonly Held[],
  prepared: readonly Prepared[],
  patience: number,
  environment: Environment,
): Promise<void> {
  const revoked = prepared.filter(({ holder, steps }) => holder.kind !== "server" && steps.length > 0);
  if (revoked.length === 0) return;
  const unseen = revoked.flatMap(({ holder: { name } }) =>
    former.some((held) => held.name === name) ? [] : [{ name }],
  );
  if (unseen.length > 0) log(`The store does not have what clients of ${namesOf(unseen)} had: nobody can ask for it.`);
  log(`Asking ${namesOf(servers)} until each has followed, for ${formatDuration(patience)} at most.`);
  const doubts = await until(servers, { taken: newHalves(revoked), refused: former.flatMap(eachLogin) }, patience);
  if (doubts.length > 0) {
    throw new Failure(
      `The store has it, but after ${formatDuration(patience)} not every server has followed.\n` +
        `${listed(doubts)}\n${whereToLook(environment)} No second revoke is needed: docs/rotation.md says how to see who is in.`,
    );
  }
  if (former.length > 0) log(`${namesOf(servers)}: every server refuses what ${namesOf(former)} had.`);
}

/** On the way from a password to an NKey a client has both. */
const eachLogin = ({ name, client }: Held): Held[] =>
  "user" in client && client.user !== "" && client.seed !== ""
    ? [
        { name, client },
        { name, client: { ...client, seed: "" } },
      ]
    : [{ name, client }];

const whereToLook = ({ kubernetes: { namespace } }: Environment): string =>
  `Did auth.conf arrive (kubectl -n ${namespace} describe externalsecret ${NATS.authSecret}), and was it taken (kubectl -n ${namespace} ` +
  "logs nats-0 -c nats | grep -i reload)?";
