/** Who is connected to the servers with what: the list of connections of each pod. */
import * as v from "valibot";
import { askMonitor } from "../connect/monitor.ts";
import type { Login } from "../identity/keeper.ts";
import { ConnectionFailure } from "../jetstream/api.ts";
import { NATS, PORTS } from "../kubernetes/names.ts";
import type { Environment } from "../model/environment.ts";
import { log } from "./output/terminal.ts";
import { visible } from "./output/visible.ts";

/** As many as a server gives at once unless told otherwise (DefaultConnListSize in monitor.go). */
const PAGE = 1_024;

const page = v.object({
  total: v.number(),
  connections: v.array(
    v.object({
      ip: v.string(),
      port: v.number(),
      name: v.optional(v.string(), "without a name"),
      authorized_user: v.optional(v.string(), ""),
    }),
  ),
});
type Connection = v.InferOutput<typeof page>["connections"][number] & { readonly pod: string };

/** @throws ConnectionFailure where a pod gives no list */
async function connectionsOf(pod: string, context: string, { kubernetes }: Environment): Promise<Connection[]> {
  const found: Connection[] = [];
  for (let offset = 0; ; offset += PAGE) {
    const path = `/connz?auth=true&limit=${PAGE}&offset=${offset}`;
    const where = { context, namespace: kubernetes.namespace, pod, port: PORTS.natsMonitor };
    const [answer] = await askMonitor(where, [path]);
    const { success, output } = v.safeParse(page, answer?.body);
    if (!success) throw new ConnectionFailure(`${pod} answers ${path} with something else than its connections.`, {});
    found.push(...output.connections.map((connection) => ({ ...connection, pod })));
    if (offset + PAGE >= output.total) return found;
  }
}

/** Lines of a list that a person reads. */
const SHOWN = 20;

/**
 * Before a rotation is finished: is anybody still in with what ends? Says who, and from where.
 * @throws ConnectionFailure where a pod cannot be asked
 */
export async function stillUsed(ending: readonly Login[], context: string, environment: Environment): Promise<boolean> {
  if (ending.length === 0) return false;
  const pods = Array.from({ length: environment.nats.servers }, (_, i) => `${NATS.name}-${i}`);
  const all = (await Promise.all(pods.map((pod) => connectionsOf(pod, context, environment)))).flat();
  const names = new Map(ending.map(({ name, user }) => [user, name]));
  const lines = all.flatMap(({ authorized_user, name, ip, port, pod }) => {
    const who = names.get(authorized_user);
    return who === undefined ? [] : [`- ${who}: ${visible(name)} from ${ip}:${port} at ${pod}`];
  });
  if (lines.length === 0) return false;
  const rest = lines.length - SHOWN;
  log(
    `Nothing was finished: these are in with the previous credential, and would be cut off.\n${lines.slice(0, SHOWN).join("\n")}\n` +
      `${rest > 0 ? `- and ${rest} more\n` : ""}` +
      "Restart them once they have the new one, then run the same command again; with --wait 0s they are cut off.",
  );
  return true;
}
