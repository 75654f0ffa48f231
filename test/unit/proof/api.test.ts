/** What a real API server does only when it pleases: watches that end, versions that are too old, connections that are cut. */
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { KubeObject } from "../../../src/proof/agent/objects.ts";
import { type Api, ApiFailure, openApi } from "../../../src/proof/api.ts";
import { issueCertificates } from "../../support/nats-server.ts";
import { without } from "../../support/tools.ts";

const object = (name: string, resourceVersion: string): KubeObject => ({
  metadata: { name, namespace: "home", uid: name, resourceVersion },
});

describe.skipIf(without("test-ca"))("the API as a node agent sees it", () => {
  const folder = mkdtempSync(join(tmpdir(), "circl-api-"));
  const watches: ServerResponse[] = [];
  let items: readonly KubeObject[] = [];
  let lists = 0;
  let server: Server;
  let api: Api;
  const say = (type: string, about: object) => watches.at(-1)?.write(`${JSON.stringify({ type, object: about })}\n`);

  beforeAll(async () => {
    await issueCertificates(folder, { api: { dnsNames: ["127.0.0.1"], usages: ["server auth"] } });
    const file = (name: string) => readFileSync(join(folder, "api", name));
    server = createServer({ cert: file("tls.crt"), key: file("tls.key") }, (request, response) => {
      if (request.headers.authorization !== "Bearer secret") response.writeHead(401).end("who are you?");
      else if (request.url?.includes("watch=true")) watches.push(response);
      else if (request.url === "/refused") response.writeHead(409).end(JSON.stringify({ message: "it is there" }));
      else {
        lists += 1;
        response.end(JSON.stringify({ items, metadata: { resourceVersion: "1" } }));
      }
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const cluster = { server: address, "certificate-authority-data": file("ca.crt").toString("base64") };
    const kubeconfig = { clusters: [{ cluster }], users: [{ user: { token: "secret" } }] };
    writeFileSync(join(folder, "kubeconfig"), JSON.stringify(kubeconfig));
    api = openApi(join(folder, "kubeconfig"));
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });

  test("a list is kept up to date, and read again where its watch ends, is cut, or its version is too old", async () => {
    items = [object("a", "1"), object("b", "1")];
    const told: string[] = [];
    const kept = await api.keep<KubeObject>("/things", ({ metadata }, gone) =>
      told.push(`${gone ? "-" : "+"}${metadata.name}${metadata.resourceVersion}`),
    );
    const names = () => kept.values().map(({ metadata }) => `${metadata.name}${metadata.resourceVersion}`);
    expect(names()).toEqual(["a1", "b1"]);
    await expect.poll(() => watches.length).toBe(1);
    say("MODIFIED", object("a", "2"));
    say("DELETED", object("b", "2"));
    await expect.poll(names).toEqual(["a2"]);
    items = [object("c", "3")];
    say("ERROR", { code: 410 });
    await expect.poll(names).toEqual(["c3"]);
    await expect.poll(() => watches.length).toBe(2);
    items = [object("c", "3"), object("d", "4")];
    watches.at(-1)?.end();
    await expect.poll(names).toEqual(["c3", "d4"]);
    expect(kept.find("home", "d")?.metadata.resourceVersion).toBe("4");
    await expect.poll(() => watches.length).toBe(3);
    items = [object("e", "5")];
    watches.at(-1)?.destroy();
    await expect.poll(names).toEqual(["e5"]);
    expect(told).toEqual(["+a1", "+b1", "+a2", "-b2", "-a2", "+c3", "+d4", "-c3", "-d4", "+e5"]);
    expect(lists).toBe(4);
  });

  test("a refusal says what was asked and what the server said", async () => {
    const refused = api.send("POST", "/refused", {});
    await expect(refused).rejects.toThrow("POST /refused: it is there");
    await expect(refused).rejects.toBeInstanceOf(ApiFailure);
  });

  test("many requests at once are no leak to warn of, and the end cuts off whatever is under way", async () => {
    const warnings: string[] = [];
    const listen = ({ name }: Error) => warnings.push(name);
    process.on("warning", listen);
    await Promise.all(Array.from({ length: 40 }, () => api.send("GET", "/things")));
    const open = watches.length;
    for (let i = 0; i < 12; i++) await api.keep("/things");
    await expect.poll(() => watches.length).toBe(open + 12);
    await api[Symbol.asyncDispose]();
    const before = lists;
    await new Promise((done) => setTimeout(done, 1_000));
    process.off("warning", listen);
    expect({ warnings, lists }).toEqual({ warnings: [], lists: before });
  });
});
