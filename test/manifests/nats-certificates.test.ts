/** Certificates of servers, routes and clients, and TLS in nats.conf. */
import { describe, expect, test } from "vitest";
import { modelWith, realModel } from "../support/definitions.ts";
import { objectOf, objectsOf } from "../support/manifests.ts";

const production = objectsOf(realModel("production"));

describe("certificates", () => {
  test.each(["staging", "production"] as const)(
    "of %s cover every name that clients dial, and are for servers alone",
    (name) => {
      expect(objectOf(objectsOf(realModel(name)), "Certificate", "nats-server-tls").spec).toEqual({
        secretName: "nats-server-tls",
        dnsNames: [
          "nats",
          "nats.circl-backbone",
          "nats.circl-backbone.svc",
          "nats.circl-backbone.svc.cluster.local",
          "*.nats-headless.circl-backbone.svc.cluster.local",
        ],
        issuerRef: { group: "cert-manager.io", kind: "Issuer", name: "nats-ca" },
        duration: "2160h",
        renewBefore: "720h",
        privateKey: { algorithm: "ECDSA", size: 256, rotationPolicy: "Always" },
        usages: ["digital signature", "server auth"],
      });
    },
  );

  test("cover the hosts of routes, for both ends of them", () => {
    expect(objectOf(production, "Certificate", "nats-route-tls").spec).toMatchObject({
      secretName: "nats-route-tls",
      dnsNames: ["*.nats-headless.circl-backbone.svc.cluster.local"],
      usages: ["digital signature", "server auth", "client auth"],
      privateKey: { algorithm: "ECDSA", size: 256, rotationPolicy: "Always" },
    });
  });

  test("of routes and of clients have each an authority of their own", () => {
    const issuerOf = (name: string) => objectOf(production, "Certificate", name).spec.issuerRef.name;
    const authorityOf = (name: string) => objectOf(production, "Issuer", name).spec.ca.secretName;
    expect(authorityOf(issuerOf("nats-server-tls"))).toBe("nats-ca");
    expect(authorityOf(issuerOf("nats-route-tls"))).toBe("nats-route-ca");
  });

  test.each(["nats-ca", "nats-route-ca"])("the authority %s keeps its key for ten years", (name) => {
    expect(objectOf(production, "Certificate", name).spec).toMatchObject({
      isCA: true,
      duration: "87600h",
      usages: ["cert sign", "crl sign"],
      privateKey: { rotationPolicy: "Never" },
    });
  });
});

describe("certificates of clients", () => {
  const objects = objectsOf(modelWith({ environment: { nats: { clients: { certificates: true } } } }));

  test("are for clients alone, and only where they are asked for", () => {
    expect(objectOf(objects, "Certificate", "nats-client-tls-stream-sync").spec).toEqual({
      secretName: "nats-client-tls-stream-sync",
      commonName: "stream-sync",
      issuerRef: { group: "cert-manager.io", kind: "Issuer", name: "nats-ca" },
      duration: "2160h",
      renewBefore: "720h",
      privateKey: { algorithm: "ECDSA", size: 256, rotationPolicy: "Always" },
      usages: ["digital signature", "client auth"],
    });
    expect(
      production.filter(({ metadata }) => String(metadata.name).startsWith("nats-client-tls")).map(({ kind }) => kind),
    ).toEqual([]);
  });

  test("reach the service by way of the store, certificate and key in one document", () => {
    expect(objectOf(objects, "PushSecret", "nats-client-tls-oms").spec).toMatchObject({
      selector: { secret: { name: "nats-client-tls-oms" } },
      data: [{ match: { remoteRef: { remoteKey: "production-nats-client-tls-oms" } } }],
    });
    const { data, target } = objectOf(objects, "ExternalSecret", "circl-backbone-oms").spec;
    expect(data).toEqual(
      expect.arrayContaining([
        { secretKey: "certificate", remoteRef: { key: "production-nats-client-tls-oms", property: "tls.crt" } },
        { secretKey: "key", remoteRef: { key: "production-nats-client-tls-oms", property: "tls.key" } },
      ]),
    );
    expect(target.template.data).toMatchObject({ "tls.crt": "{{ .certificate }}", "tls.key": "{{ .key }}" });
  });
});

test("TLS 1.3 alone, for clients and routes, where the environment says so", () => {
  const confOf = (change: Parameters<typeof modelWith>[0]) =>
    objectOf(objectsOf(modelWith(change)), "ConfigMap", "nats-config").data?.["nats.conf"] ?? "";
  expect(confOf({}).match(/min_version: .*/g)).toEqual(['min_version: "1.2"', 'min_version: "1.2"']);
  const strict = confOf({ environment: { nats: { tlsMinimum: "1.3", clients: { certificates: true } } } });
  expect(strict.match(/min_version: .*/g)).toEqual(['min_version: "1.3"', 'min_version: "1.3"']);
  expect(strict.match(/verify: true/g)).toHaveLength(1);
  expect(strict).not.toContain("verify_and_map");
});
