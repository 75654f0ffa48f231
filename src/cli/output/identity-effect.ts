/** When what was written to the store holds. Nothing here has seen it: it says by when, how to make it sooner and how to see it. */
import type { Holder } from "../../identity/keeper.ts";
import { clientSecret, NATS, TILE38 } from "../../kubernetes/names.ts";
import { clientNamespace } from "../../kubernetes/secrets.ts";
import type { Model } from "../../model/resolve.ts";
import { formatDuration } from "../../units.ts";

/** The minute that is said is over the moment, not before it. */
const clock = (moment: Date): string =>
  `${new Date(Math.ceil(moment.getTime() / 60_000) * 60_000).toISOString().slice(11, 16)} UTC`;

const SYNCED = `-o jsonpath='{.status.refreshTime}{"\\n"}'`;

/** One command a namespace. */
function forceSync(secrets: readonly { readonly namespace: string; readonly name: string }[]): string {
  const namespaces = [...new Set(secrets.map(({ namespace }) => namespace))].sort();
  return namespaces
    .map((namespace) => {
      const names = [...new Set(secrets.filter((secret) => secret.namespace === namespace).map(({ name }) => name))];
      return `  kubectl -n ${namespace} annotate externalsecret ${names.join(" ")} force-sync=$(date +%s) --overwrite`;
    })
    .join("\n");
}

/** What the servers mount of these holders. */
function serverSecrets({ environment }: Model, holders: readonly Holder[]) {
  const { namespace } = environment.kubernetes;
  const followers = environment.tile38.followers.count > 0 ? [TILE38.followersSecret] : [];
  const names = holders.flatMap(({ credential }) => {
    if (credential === "tile38") return [TILE38.leaderSecret, ...followers];
    return credential === "encryption" ? [NATS.encryptionSecret] : [NATS.authSecret];
  });
  return names.map((name) => ({ namespace, name }));
}

const clientSecrets = (model: Model, holders: readonly Holder[]) =>
  holders
    .filter(({ kind }) => kind === "service")
    .map(({ name }) => ({ namespace: clientNamespace(name, model), name: clientSecret(name) }));

const hasStore = ({ environment }: Model): boolean => environment.secrets.store !== "kubectl";

/** @param patience nanoseconds for which `servers` are asked; without them nobody asks until `by` */
export function beforeHandingOut(
  model: Model,
  holders: readonly Holder[],
  by: Date,
  asked?: { readonly servers: readonly string[]; readonly patience: number },
): string {
  const sooner = hasStore(model) ? ` At once:\n${forceSync(serverSecrets(model, holders))}\n` : "\n";
  const seen = `  kubectl -n ${model.environment.kubernetes.namespace} get externalsecret ${NATS.authSecret} ${SYNCED}`;
  return [
    asked
      ? `Asking ${asked.servers.join(", ")} until each takes the new credentials, for ${formatDuration(asked.patience)} at most.${sooner}`
      : `The servers must know the new credentials by ${clock(by)}; nobody asks them without --server, --context or --kubectl.${sooner}` +
        (hasStore(model) ? `Fetched since? The kubelet takes up to 2m more:\n${seen}\n` : ""),
    "Clients get theirs then. Ctrl-C harms nothing: the same command completes it.",
  ].join("");
}

/** What ends with a finish or a revoke. @param by undefined where nobody brings it to the servers but whoever ran this */
export function afterEnding(model: Model, holders: readonly Holder[], by: Date | undefined): string | undefined {
  const identities = holders.filter(({ kind }) => kind !== "server");
  if (!by || identities.length === 0) return undefined;
  const said = `Servers refuse what has ended by ${clock(by)}, and until then take it.`;
  return hasStore(model) ? `${said} At once:\n${forceSync(serverSecrets(model, identities))}` : said;
}

/**
 * What is left to do after a rotation. A client that reads its credential once and restarts before its Secret is new comes back with
 * the old one, and `finish` locks it out.
 * @param by when the Secrets of clients are new; undefined where they are already
 */
export function afterRotation(model: Model, holders: readonly Holder[], by: Date | undefined): string {
  if (!by) return "Restart the clients, then run finish.";
  const secrets = clientSecrets(model, holders);
  const sooner = hasStore(model) && secrets.length > 0 ? ` At once:\n${forceSync(secrets)}\n` : "\n";
  return `Clients get the new half by ${clock(by)}.${sooner}Restart them then, not before (docs/rotation.md), and run finish.`;
}
