/** Documents as one Secret of a throw-away cluster, beside the Secrets that are made of them. */
import { type SecretStore, StoreFailure } from "../identity/store.ts";
import { applyObjects, readSecret } from "./kubectl.ts";

interface Kept {
  readonly text: string;
  /** ISO. */
  readonly at: string;
}

export interface Place {
  readonly context: string;
  readonly namespace: string;
  /** Of the Secret with the documents. */
  readonly name: string;
  /** A Secret that is made of documents: where it is and they are not, they are somewhere else. */
  readonly made: string;
}

/** Read once, and written whole: there is one of these a command. */
export function clusterStore({ context, namespace, name, made }: Place): SecretStore {
  const title = `Secret ${name} of ${context}`;
  const documents = new Map<string, Kept>();
  let loaded: Promise<void> | undefined;
  const load = async (): Promise<void> => {
    const found = await readSecret(context, { namespace, name });
    if (!found && (await readSecret(context, { namespace, name: made }))) {
      throw new StoreFailure(
        `${title}: it is not there, but ${made} is, with credentials that clients may have. Give the folder of their documents as --out, ` +
          `or begin anew: kubectl --context ${context} -n ${namespace} delete secret ${made}`,
      );
    }
    for (const [id, text] of Object.entries(found ?? {})) documents.set(id, kept(text, `${title}: ${id}`));
  };
  const whenLoaded = (): Promise<void> => {
    loaded ??= load();
    return loaded;
  };
  const send = async (): Promise<void> => {
    const data = Object.fromEntries(
      [...documents].map(([key, value]) => [key, Buffer.from(JSON.stringify(value)).toString("base64")]),
    );
    await applyObjects(context, [{ apiVersion: "v1", kind: "Secret", metadata: { name, namespace }, data }]);
  };
  // One after the other: the Secret is sent whole, and an earlier one must not arrive later. What comes meanwhile goes together.
  let [sending, next]: [Promise<void>, Promise<void> | undefined] = [Promise.resolve(), undefined];
  const write = async (id: string, text: string): Promise<void> => {
    await whenLoaded();
    documents.set(id, { text, at: new Date().toISOString() });
    next ??= sending
      .catch(() => {})
      .then(() => {
        next = undefined;
        return send();
      });
    sending = next;
    await next;
  };
  return {
    title,
    read: async (id) => {
      await whenLoaded();
      return documents.get(id)?.text;
    },
    write,
    writtenAt: async (id) => {
      await whenLoaded();
      const at = documents.get(id)?.at;
      return at === undefined ? undefined : new Date(at);
    },
  };
}

function kept(text: string, where: string): Kept {
  try {
    const { text: document, at } = JSON.parse(text) as Partial<Kept>;
    if (typeof document === "string" && typeof at === "string" && !Number.isNaN(Date.parse(at)))
      return { text: document, at };
  } catch {
    // Said below, without what it holds.
  }
  throw new StoreFailure(`${where} was changed by somebody else. Restore it, or delete that key for a new credential.`);
}
