/** Plays External Secrets: renders the templates that the cluster has, with the documents of a store, and hands back trust. */

import { applyAll, listed, secretObject } from "./certificates.ts";
import type { Kubectl } from "./kubectl.ts";
import { run } from "./system.ts";

interface ExternalSecret {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly data: readonly { readonly secretKey: string; readonly remoteRef: RemoteRef }[];
    readonly target: { readonly name: string; readonly template: { readonly data: Readonly<Record<string, string>> } };
  };
}
interface RemoteRef {
  readonly key: string;
  readonly property?: string;
}
interface PushSecret {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly selector: { readonly secret: { readonly name: string } };
    readonly data: readonly {
      readonly match: { readonly secretKey: string; readonly remoteRef: { readonly remoteKey: string } };
    }[];
  };
}

/** Where the documents are, as src/identity keeps them. */
export interface Documents {
  read(id: string): Promise<string | undefined>;
  write(id: string, text: string): Promise<void>;
}

export interface ExternalSecretsInput {
  readonly kubectl: Kubectl;
  readonly documents: Documents;
  /** The program secret-template: Go's templates with the functions that External Secrets has. */
  readonly template: string;
}

/**
 * Pushes what PushSecrets select into the store, then makes the Secret of every ExternalSecret.
 *
 * @throws Error that names the document that is missing, and what a template says of what it is given
 */
export async function synchroniseSecrets({ kubectl, documents, template }: ExternalSecretsInput): Promise<void> {
  for (const { metadata, spec } of await listed<PushSecret>(kubectl, "pushsecrets.external-secrets.io")) {
    const secret = ["get", "secret", spec.selector.secret.name, `--namespace=${metadata.namespace}`, "--output=json"];
    const { data } = JSON.parse(await kubectl(secret));
    for (const { match } of spec.data) {
      await documents.write(match.remoteRef.remoteKey, Buffer.from(data[match.secretKey], "base64").toString());
    }
  }
  const secrets: object[] = [];
  for (const { metadata, spec } of await listed<ExternalSecret>(kubectl, "externalsecrets.external-secrets.io")) {
    const values: Record<string, string> = {};
    for (const { secretKey, remoteRef } of spec.data) values[secretKey] = await propertyOf(remoteRef, documents);
    const input = JSON.stringify({ template: spec.target.template.data, data: values });
    const files: Record<string, string> = JSON.parse(await run(template, [], input));
    secrets.push(secretObject({ name: spec.target.name, namespace: metadata.namespace, files }));
  }
  if (secrets.length > 0) await applyAll(kubectl, secrets);
}

async function propertyOf({ key, property }: RemoteRef, documents: Documents): Promise<string> {
  const text = await documents.read(key);
  if (text === undefined) throw new Error(`the store has no document ${key}`);
  if (property === undefined) return text;
  const value = JSON.parse(text)[property];
  if (typeof value !== "string") throw new Error(`the document ${key} has no ${property}`);
  return value;
}
