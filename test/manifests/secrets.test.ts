import { describe, expect, test } from "vitest";
import { renderClient } from "../../src/clients/files.ts";
import { identities } from "../../src/model/identity.ts";
import { authTemplate } from "../../src/nats/auth-template.ts";
import { followerConfig, leaderConfig } from "../../src/tile38/server-config.ts";
import { modelWith, realModel } from "../support/definitions.ts";
import { renderTemplate } from "../support/identities.ts";
import { chartsOf, objectOf, objectsOf } from "../support/manifests.ts";
import { without } from "../support/tools.ts";

const model = realModel("production");
const production = objectsOf(model);
const secrets = production.filter(({ kind }) => kind === "ExternalSecret");
const templateOf = (name: string) => objectOf(secrets, "ExternalSecret", name).spec.target.template.data;
interface StoreValue {
  readonly secretKey: string;
  readonly remoteRef: { readonly key: string; readonly property?: string };
}
const valuesOf = (name: string): StoreValue[] => objectOf(secrets, "ExternalSecret", name).spec.data;

test("every Secret is rendered from documents, refreshed, and survives the loss of a document", () => {
  expect(secrets.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)).toEqual([
    "circl-backbone/nats-auth",
    "circl-backbone/nats-encryption-key",
    "circl-backbone/tile38-leader-config",
    "circl-backbone/tile38-follower-config",
    "circl/circl-backbone-bff",
    "circl/circl-backbone-dms",
    "circl/circl-backbone-geo",
    "circl/circl-backbone-iot",
    "circl/circl-backbone-oms",
  ]);
  for (const { apiVersion, metadata, spec } of secrets) {
    const { data: _, target, ...rest } = spec;
    const { template, ...kept } = target;
    expect({ apiVersion, ...rest }).toEqual({
      apiVersion: "external-secrets.io/v1",
      refreshPolicy: "Periodic",
      refreshInterval: "300s",
      secretStoreRef: { kind: "SecretStore", name: "circl-backbone" },
    });
    expect(kept).toEqual({ name: metadata.name, creationPolicy: "Owner", deletionPolicy: "Retain" });
    expect({ ...template, data: {} }).toEqual({
      engineVersion: "v2",
      mergePolicy: "Replace",
      type: "Opaque",
      data: {},
    });
  }
});

test("auth.conf takes both keys of every identity, each from its own document", () => {
  expect(templateOf("nats-auth")).toEqual({ "auth.conf": authTemplate(model) });
  expect(valuesOf("nats-auth")).toEqual(
    identities(model).flatMap(({ name }) =>
      ["current", "previous"].map((property) => ({
        secretKey: `${name.replaceAll("-", "_")}_${property}`,
        remoteRef: { key: `production-nats-identity-${name}`, property },
      })),
    ),
  );
});

test("an identity with a password has two user names and two hashes", () => {
  const objects = objectsOf(modelWith({ environment: { nats: { clients: { passwords: ["oms"] } } } }));
  const keys = objectOf(objects, "ExternalSecret", "nats-auth").spec.data.map(({ secretKey }: StoreValue) => secretKey);
  expect(keys.filter((key: string) => key.startsWith("oms_"))).toEqual([
    "oms_current_user",
    "oms_current",
    "oms_previous_user",
    "oms_previous",
  ]);
  const client = objectOf(objects, "ExternalSecret", "circl-backbone-oms").spec;
  expect(client.data.map(({ secretKey }: StoreValue) => secretKey)).toEqual(["user", "password", "seed", "ca"]);
  const files = ["ca.crt", "nats.json", "nats.nk", "nats.password", "nats.user"];
  expect(Object.keys(client.target.template.data)).toEqual(files);
});

test("no template makes a value of its own: it would be another at every refresh", () => {
  for (const { spec } of secrets) {
    const text = Object.values(spec.target.template.data).join("\n");
    const calls = (text.match(/\{\{.*?\}\}/g) ?? []).map((call) => call.replace(/"[^"]*"|`[^`]*`/g, ""));
    expect(calls.join("\n")).not.toMatch(/\b(bcrypt|htpasswd|rand\w+|gen\w+|derivePassword|now|uuidv4)\b/);
    for (const key of spec.data.map(({ secretKey }: StoreValue) => secretKey)) {
      expect(key).toMatch(/^[a-z0-9_]+$/);
      expect(text).toContain(`.${key}`);
    }
  }
});

test("what is fetched is named as Secret Manager takes it, one value by one, and nothing is generated or fetched for the whole cluster", () => {
  for (const { spec } of secrets) {
    expect(spec).not.toHaveProperty("dataFrom");
    for (const { remoteRef } of spec.data as StoreValue[])
      expect(remoteRef.key).toMatch(/^production-[A-Za-z0-9_-]{1,200}$/);
  }
  const kinds = new Set(production.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`));
  expect([...kinds].filter((kind) => /external-secrets/.test(kind)).sort()).toEqual([
    "external-secrets.io/v1 ExternalSecret",
    "external-secrets.io/v1 SecretStore",
    "external-secrets.io/v1alpha1 PushSecret",
  ]);
});

test("who reads the store never writes it: another account, whose only document is the certificate of the authority", () => {
  const accountOf = (name: string) =>
    objectOf(production, "SecretStore", name).spec.provider.gcpsm.auth.workloadIdentity.serviceAccountRef.name;
  expect(accountOf("circl-backbone")).not.toBe(accountOf("circl-backbone-trust"));
  for (const { spec } of secrets) expect(spec.secretStoreRef.name).toBe("circl-backbone");
  for (const { spec } of production.filter(({ kind }) => kind === "PushSecret")) {
    expect(spec.secretStoreRefs).toEqual([{ kind: "SecretStore", name: "circl-backbone-trust" }]);
  }
});

test("a client's certificate goes with its key into one document, whole: two entries could be halves of two", () => {
  const objects = objectsOf(modelWith({ environment: { nats: { clients: { certificates: true } } } }));
  const pushed = objects.filter(({ kind, metadata }) => kind === "PushSecret" && metadata.name !== "nats-ca");
  expect(pushed.length).toBeGreaterThan(0);
  for (const { spec } of pushed) {
    expect(spec.data).toEqual([{ match: { remoteRef: { remoteKey: expect.stringMatching(/^production-nats-/) } } }]);
    expect(spec).toMatchObject({ updatePolicy: "Replace", deletionPolicy: "None" });
  }
});

test("no object comes near what kubectl apply can note on it (256 KiB)", () => {
  for (const object of production) expect(JSON.stringify(object).length).toBeLessThan(128 * 1024);
});

test("local has none of it: its Secrets are sent by kubectl", () => {
  expect(Object.keys(chartsOf(realModel("local")))).toEqual([
    "00-namespace",
    "10-network",
    "30-nats",
    "40-tile38",
    "55-dashboards",
  ]);
});

test("a service may run in a namespace of its own, with a store of its own", () => {
  const services = {
    ...model.services,
    oms: { description: "orders", namespace: "orders" },
    iot: { description: "devices" },
  };
  const objects = chartsOf(modelWith({ services: { oms: services.oms, iot: services.iot } }))["60-clients"] ?? [];
  expect(objects.map(({ kind, metadata }) => `${metadata.namespace} ${kind} ${metadata.name}`)).toEqual([
    "circl ServiceAccount circl-secret-reader",
    "circl SecretStore circl-backbone",
    "orders ServiceAccount circl-secret-reader",
    "orders SecretStore circl-backbone",
    "circl ExternalSecret circl-backbone-iot",
    "orders ExternalSecret circl-backbone-oms",
  ]);
});

describe.skipIf(without("secret-template"))("rendered by External Secrets", () => {
  test("Tile38's documents are those that the servers are tested with", () => {
    const password = "p<&>'%{{}}~!";
    const rendered = (name: string) => renderTemplate(templateOf(name), { password }).config;
    expect(rendered("tile38-leader-config")).toBe(JSON.stringify(leaderConfig(model, password)));
    expect(rendered("tile38-follower-config")).toBe(JSON.stringify(followerConfig(model, password)));
  });

  test.each(["", "with space", 'a"b', "a\\b", "line\n", "ünicode"])("a password %j reaches no server", (password) => {
    expect(() => renderTemplate(templateOf("tile38-leader-config"), { password })).toThrow(
      /the password of Tile38 must/,
    );
    expect(() =>
      renderTemplate(templateOf("circl-backbone-bff"), { seed: "S", ca: "C", tile38_password: password }),
    ).toThrow(/the password of Tile38 must/);
  });

  test("a client's files are the same by template and by hand, and say everything that it needs", () => {
    const values = { seed: "SUABC", ca: "-----BEGIN CERTIFICATE-----\n", tile38_password: "a<b" };
    const bff = identities(model).find(({ name }) => name === "bff");
    if (!bff) throw new Error("no bff");
    const files = renderTemplate(templateOf("circl-backbone-bff"), values);
    expect(files).toEqual(renderClient(bff, model, values));
    const { "nats.json": nats = "", "tile38.json": tile38 = "", ...rest } = files;
    expect(JSON.parse(nats)).toEqual({
      name: "bff",
      servers: ["tls://nats.circl-backbone.svc.cluster.local:4222"],
      inboxPrefix: "_INBOX_bff",
      publishes: ["circl.iot.command.>", "circl.oms.command.>"],
      deadLetters: ["circl.dlq.iot.>", "circl.dlq.oms.>"],
      consumers: [
        { stream: "circl_iot", durable: "bff-iot" },
        { stream: "circl_iot_location", durable: "bff-location" },
        { stream: "circl_oms", durable: "bff-orders" },
      ],
      buckets: [],
    });
    expect(JSON.parse(tile38)).toEqual({
      host: "tile38-read.circl-backbone.svc.cluster.local",
      port: 9851,
      password: "a<b",
    });
    expect(rest).toEqual({ "ca.crt": values.ca, "nats.nk": "SUABC" });
    expect(() => renderClient(bff, model, { seed: "SUABC" })).toThrow('the Secret of bff needs "ca"');
  });
});
