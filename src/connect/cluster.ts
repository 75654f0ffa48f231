/**
 * A Kubernetes cluster through `kubectl proxy` on a socket that only this user can open: kubectl brings the login, and answers come as
 * the API server gives them, with every conflict and every refusal in fields instead of in prose.
 */
import { type Applied, type Cluster, FIELD_MANAGER, type Kind, type Reference } from "../deploy/cluster.ts";
import type { KubeObject } from "../deploy/object.ts";
import { ConnectionFailure } from "../jetstream/api.ts";
import { type Answer, startProxy } from "./kubectl-proxy.ts";

/** What the API server says where it does not do what it was asked. */
interface Status {
  readonly message?: string;
  readonly reason?: string;
  readonly details?: {
    readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[];
  };
}
interface ResourceList {
  readonly resources: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[];
}

/** @throws ConnectionFailure where kubectl cannot reach the cluster of `context` */
export async function openCluster(context: string): Promise<Cluster & AsyncDisposable> {
  const proxy = await startProxy(context);
  const discovered = new Map<string, Promise<ResourceList["resources"]>>();

  const ask = async (method: string, path: string, body?: object, headers?: Readonly<Record<string, string>>) =>
    await proxy.request(method, path, body === undefined ? undefined : JSON.stringify(body), headers);
  const expect = <T>(answer: Answer, doing: string): T => {
    if (answer.status < 300) return JSON.parse(answer.text) as T;
    throw noAnswer(doing, answer);
  };

  const resourcesOf = (apiVersion: string): Promise<ResourceList["resources"]> => {
    const known = discovered.get(apiVersion);
    if (known) return known;
    const asked = ask("GET", root(apiVersion)).then((answer) =>
      answer.status === 404 ? [] : expect<ResourceList>(answer, `asking for the kinds of ${apiVersion}`).resources,
    );
    discovered.set(apiVersion, asked);
    // A failure is not kept: the next question asks again.
    asked.catch(() => discovered.delete(apiVersion));
    return asked;
  };
  const resourceOf = async ({ apiVersion, kind }: Kind) =>
    (await resourcesOf(apiVersion)).find((resource) => resource.kind === kind && !resource.name.includes("/"));

  /** Path of all objects of a kind, or of those of a namespace; undefined where the API does not know the kind. */
  const pathOf = async (kind: Kind, namespace?: string): Promise<string | undefined> => {
    const resource = await resourceOf(kind);
    if (!resource) return undefined;
    const where = resource.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : "";
    return `${root(kind.apiVersion)}${where}/${resource.name}`;
  };
  const pathOfObject = async (reference: Reference): Promise<string | undefined> => {
    const path = await pathOf(reference, reference.namespace);
    return path && `${path}/${encodeURIComponent(reference.name)}`;
  };

  return {
    context,
    version: async () => {
      const { gitVersion } = expect<{ gitVersion: string }>(await ask("GET", "/version"), "asking for the version");
      return gitVersion.replace(/^v/, "");
    },
    knows: async (kind) => (await resourceOf(kind)) !== undefined,
    may: async ({ verb, kind, subresource, namespace }) => {
      const resource = await resourceOf(kind);
      if (!resource) return true;
      const review = {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SelfSubjectAccessReview",
        spec: {
          resourceAttributes: {
            verb,
            group: kind.apiVersion.includes("/") ? kind.apiVersion.split("/")[0] : "",
            resource: resource.name,
            ...(subresource ? { subresource } : {}),
            ...(namespace && resource.namespaced ? { namespace } : {}),
          },
        },
      };
      const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
      const { status } = expect<KubeObject>(await ask("POST", path, review, JSON_BODY), "asking for rights");
      return status.allowed === true;
    },
    get: async (reference) => {
      const path = await pathOfObject(reference);
      if (!path) return undefined;
      const answer = await ask("GET", path);
      return answer.status === 404
        ? undefined
        : expect<KubeObject>(answer, `reading ${reference.kind} ${reference.name}`);
    },
    list: async (kind, { namespace, labels, fields } = {}) => {
      const path = await pathOf(kind, namespace);
      if (!path) return [];
      const query = new URLSearchParams({
        ...(labels ? { labelSelector: labels } : {}),
        ...(fields ? { fieldSelector: fields } : {}),
      });
      // Nobody here wants to know what is in a Secret.
      const headers = kind.kind === "Secret" ? { accept: METADATA_ONLY } : {};
      const answer = await ask("GET", `${path}?${query}`, undefined, headers);
      const { items } = expect<{ items: readonly KubeObject[] | null }>(answer, `listing ${kind.kind}`);
      // Items of a list do not say what they are.
      return (items ?? []).map((item) => ({ ...item, ...kind }));
    },
    apply: async (object, { dryRun = false } = {}) => {
      const path = await pathOfObject({ ...object, name: object.metadata.name, ...namespaceOf(object) });
      if (!path)
        return { outcome: "refused", status: 404, says: `${object.apiVersion} ${object.kind} is unknown here` };
      const query = new URLSearchParams({
        fieldManager: FIELD_MANAGER,
        fieldValidation: "Strict",
        ...(dryRun ? { dryRun: "All" } : {}),
      });
      const answer = await ask("PATCH", `${path}?${query}`, object, { "content-type": "application/apply-patch+yaml" });
      return appliedOf(answer);
    },
    patch: async (reference, patch) => {
      const path = (await pathOfObject(reference)) ?? "";
      const headers = { "content-type": "application/merge-patch+json" };
      const query = new URLSearchParams({ fieldManager: FIELD_MANAGER });
      expect(await ask("PATCH", `${path}?${query}`, patch, headers), `changing ${reference.kind} ${reference.name}`);
    },
    remove: async (reference, { orphan = false } = {}) => {
      const path = await pathOfObject(reference);
      if (!path) return;
      // In the query: what is lost of a body would delete the pods that are to be left alone.
      const answer = await ask("DELETE", `${path}?propagationPolicy=${orphan ? "Orphan" : "Background"}`);
      if (answer.status !== 404) expect(answer, `deleting ${reference.kind} ${reference.name}`);
    },
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  };
}

const JSON_BODY = { "content-type": "application/json" };
const METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/** `/api/v1`, `/apis/apps/v1`. */
const root = (apiVersion: string): string => (apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`);

const namespaceOf = ({ metadata: { namespace } }: KubeObject) => (namespace ? { namespace } : {});

/** @throws ConnectionFailure where it is no answer of an API server to an apply, or one that says to come again */
export function appliedOf(answer: Answer): Applied {
  if (answer.status < 300) return { outcome: "taken", object: JSON.parse(answer.text) };
  if (isPassing(answer) || answer.status === 401) throw noAnswer("applying", answer);
  const { details } = statusOf(answer);
  const conflicts = (details?.causes ?? []).filter(({ reason }) => reason === "FieldManagerConflict");
  if (conflicts.length === 0) return { outcome: "refused", status: answer.status, says: saidBy(answer) };
  return {
    outcome: "conflict",
    conflicts: conflicts.map(({ field = "", message = "" }) => ({
      field: field.replace(/^\./, ""),
      owner: /"([^"]+)"/.exec(message)?.[1] ?? message,
    })),
  };
}

/** The API server has no time now, or is not whole: the same request may be taken a little later. */
const isPassing = ({ status }: Answer): boolean => status >= 500 || status === 429 || status === 408;

const noAnswer = (doing: string, answer: Answer): ConnectionFailure =>
  new ConnectionFailure(`${doing}: ${saidBy(answer)}. ${wayOut(answer.status)}`, { passing: isPassing(answer) });

function statusOf({ text }: Answer): Status {
  try {
    return JSON.parse(text) as Status;
  } catch {
    return {};
  }
}

const saidBy = (answer: Answer): string =>
  (statusOf(answer).message ?? answer.text.trim().split("\n")[0]) || `status ${answer.status}`;

const wayOut = (status: number): string =>
  status === 401
    ? "Log in again (kubectl get namespaces says how), then run the same command."
    : status === 403
      ? "Ask for the right, or use a context that has it."
      : "Run the same command again: what is done stays done.";
