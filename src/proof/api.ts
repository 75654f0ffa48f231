/** The part of the Kubernetes API that a node agent needs: requests, and lists that are kept up to date by watches. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import type { KubeObject } from "./agent/objects.ts";

/** What the API server answered with a status of 400 or more. */
export class ApiFailure extends Error {
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.name = "ApiFailure";
    this.status = status;
  }
}

/** All objects of one kind, as of the last event. */
export interface Kept<T> {
  values(): readonly T[];
  find(namespace: string, name: string): T | undefined;
}

export interface Api extends AsyncDisposable {
  /** @throws ApiFailure; the error of a connection that failed */
  send<T>(method: string, path: string, body?: object, type?: string): Promise<T>;
  /** Merges `patch` into an object; arrays are replaced. @throws as `send` */
  patch<T>(path: string, patch: object): Promise<T>;
  /** Keeps a list until disposal, and calls back after each change. Resolves once it is complete for the first time. */
  keep<T extends KubeObject>(path: string, changed?: (object: T, gone: boolean) => void): Promise<Kept<T>>;
}

/** A client with the address, authority and token of a kubeconfig that a control plane has written (JSON). */
export function openApi(kubeconfig: string): Api {
  const { clusters, users } = JSON.parse(readFileSync(kubeconfig, "utf8"));
  const { server, "certificate-authority-data": authority } = clusters[0].cluster;
  // Watches hold their connections; requests share a few that stay open.
  const agent = new Agent({ ca: Buffer.from(authority, "base64"), keepAlive: true, maxFreeSockets: 8 });
  let open = true;
  const ask = async (method: string, path: string, body?: string, type = "") => {
    const content = body ? { "content-type": type, "content-length": Buffer.byteLength(body) } : {};
    const headers = { authorization: `Bearer ${users[0].user.token}`, ...content };
    const sent = request(new URL(path, server), { method, agent, headers });
    sent.end(body);
    const [response] = await once(sent, "response");
    if (response.statusCode < 400) return response;
    throw new ApiFailure(`${method} ${path}: ${messageIn(await text(response))}`, response.statusCode);
  };
  const send: Api["send"] = async (method, path, body, type = "application/json") =>
    JSON.parse(await text(await ask(method, path, body && JSON.stringify(body), type)));
  const watches: Promise<void>[] = [];
  return {
    send,
    patch: (path, patch) => send("PATCH", path, patch, "application/merge-patch+json"),
    keep<T extends KubeObject>(path: string, changed: (object: T, gone: boolean) => void = () => {}) {
      const known = new Map<string, T>();
      const set = (object: T) => {
        const before = known.get(keyOf(object));
        if (before?.metadata.resourceVersion === object.metadata.resourceVersion) return;
        known.set(keyOf(object), object);
        changed(object, false);
      };
      const remove = (object: T) => {
        if (known.delete(keyOf(object))) changed(object, true);
      };
      const list = async (): Promise<string> => {
        const { items, metadata } = await send<{ items: T[]; metadata: { resourceVersion: string } }>("GET", path);
        const keys = new Set(items.map(keyOf));
        for (const [key, object] of known) if (!keys.has(key)) remove(object);
        items.forEach(set);
        return metadata.resourceVersion;
      };
      const follow = async (version: string) => {
        const response = await ask("GET", `${path}?watch=true&resourceVersion=${version}`);
        let rest = "";
        for await (const chunk of response.setEncoding("utf8")) {
          const lines = `${rest}${chunk}`.split("\n");
          rest = lines.pop() ?? "";
          for (const { type, object } of lines.map((line): { type: string; object: T } => JSON.parse(line))) {
            // The version is too old by now: the list is read again.
            if (type === "ERROR") return;
            if (type === "DELETED") remove(object);
            else set(object);
          }
        }
      };
      const kept: Kept<T> = {
        values: () => [...known.values()],
        find: (ns: string, name: string) => known.get(`${ns}/${name}`),
      };
      return new Promise<Kept<T>>((done, fail) => {
        const run = async () => {
          while (open) {
            try {
              const version = await list();
              done(kept);
              if (open) await follow(version);
            } catch (error) {
              // Of no effect once the first list is there; after that a server that is away is asked again.
              fail(error);
              if (open) await sleep(500);
            }
          }
        };
        watches.push(run());
      });
    },
    async [Symbol.asyncDispose]() {
      open = false;
      // Whatever is under way ends with its connection.
      agent.destroy();
      await Promise.all(watches);
    },
  };
}

const keyOf = ({ metadata: { namespace = "", name } }: KubeObject): string => `${namespace}/${name}`;

function messageIn(said: string): string {
  try {
    return JSON.parse(said).message ?? said;
  } catch {
    return said;
  }
}
