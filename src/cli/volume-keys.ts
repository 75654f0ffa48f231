/** Which key the volumes have, before the previous one ends: without its key nothing on a volume can be read again. */
import { readLog } from "../connect/kubectl.ts";
import type { EncryptionDocument } from "../identity/documents.ts";
import type { Prepared } from "../identity/keeper.ts";
import { ConnectionFailure } from "../jetstream/api.ts";
import { NATS } from "../kubernetes/names.ts";
import type { Environment } from "../model/environment.ts";
import { markIn, markOf } from "../nats/encryption-script.ts";
import { confirmed } from "./confirm.ts";
import { log } from "./output/terminal.ts";

const UNFINISHED = "Nothing was finished";

/**
 * Nothing in the store tells which key a volume has. Through `kubectl` the log of each pod's start does, and only what that does not
 * tell is asked of a person; without it a person says so, or `autoApprove` has.
 */
export async function volumesReplaced(
  prepared: readonly Prepared[],
  environment: Environment,
  { kubectl, autoApprove }: { readonly kubectl?: string; readonly autoApprove?: boolean },
): Promise<boolean> {
  const [ending] = prepared.flatMap(({ holder, steps }) => (holder.credential === "encryption" ? steps : []));
  if (!ending) return true;
  if (kubectl === undefined && autoApprove) return true;
  log(
    `This takes the previous encryption key from ${environment.name}: a server whose volume still has it starts no more. Every server must have ` +
      'said "the current key" in `kubectl logs nats-N -c encryption` (docs/rotation.md).',
  );
  if (kubectl === undefined) return confirmed("Has every server said so?", UNFINISHED);

  const mark = markOf((ending.document as EncryptionDocument).current);
  const pods = Array.from({ length: environment.nats.servers }, (_, i) => `${NATS.name}-${i}`);
  const answers = await Promise.all(pods.map((pod) => keyOf(pod, kubectl, environment)));
  const others = answers.filter(({ found }) => found !== undefined && found !== mark);
  if (others.length > 0) {
    const lines = others.map(
      ({ pod, found }) => `- ${pod}: its volume has the key ${found}, the current one is ${mark}`,
    );
    log(
      `${UNFINISHED}: not every volume has the current key.\n${lines.join("\n")}\n` +
        "Give one server after the other an empty volume (docs/rotation.md), then finish.",
    );
    return false;
  }
  const unknown = answers.filter(({ found }) => found === undefined);
  if (unknown.length === 0) {
    log(`${pods.join(", ")}: every volume has the current key.`);
    return true;
  }
  log(`Not every volume could be seen.\n${unknown.map(({ pod, why }) => `- ${pod}: ${why}`).join("\n")}`);
  return confirmed("Has each of these the current key?", UNFINISHED, "Without --kubectl, --auto-approve is your word.");
}

interface Answer {
  readonly pod: string;
  /** Mark of the key. */
  readonly found?: string | undefined;
  readonly why?: string;
}

async function keyOf(pod: string, context: string, { kubernetes: { namespace } }: Environment): Promise<Answer> {
  try {
    const found = markIn(await readLog({ context, namespace, pod, container: "encryption" }));
    return { pod, found, why: "its log does not say which key it has: it began before it said so, or not at all" };
  } catch (error) {
    if (!(error instanceof ConnectionFailure)) throw error;
    return { pod, why: error.message };
  }
}
