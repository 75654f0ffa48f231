/** Plays cert-manager: makes the Secret of every Certificate with what it asks for, signed by the authority that it names. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RenderedSecret } from "../identity/rendered.ts";
import type { Kubectl } from "./kubectl.ts";
import { run } from "./system.ts";

interface Certificate {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly secretName: string;
    readonly commonName?: string;
    readonly dnsNames?: readonly string[];
    readonly duration: string;
    readonly isCA?: boolean;
    readonly issuerRef: { readonly name: string };
    readonly privateKey: { readonly algorithm: string; readonly size: number };
    readonly usages: readonly string[];
  };
}
interface Issuer {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: { readonly selfSigned?: object; readonly ca?: { readonly secretName: string } };
}

/** What openssl calls the usages. */
const KEY_USAGES: Readonly<Record<string, string>> = {
  "digital signature": "digitalSignature",
  "key encipherment": "keyEncipherment",
  "cert sign": "keyCertSign",
  "crl sign": "cRLSign",
};
const EXTENDED_USAGES: Readonly<Record<string, string>> = { "server auth": "serverAuth", "client auth": "clientAuth" };
const FILES = ["tls.crt", "tls.key", "ca.crt"] as const;

/**
 * Issues every certificate that the cluster asks for anew, authorities first, and writes their Secrets. An authority that is in
 * `folder` already is kept, as cert-manager keeps it.
 *
 * @throws Error for what the real one would refuse, and what openssl said
 */
export async function issueCertificates(kubectl: Kubectl, folder: string): Promise<void> {
  const certificates = await listed<Certificate>(kubectl, "certificates.cert-manager.io");
  const issuers = await listed<Issuer>(kubectl, "issuers.cert-manager.io");
  const placeOf = (namespace: string, secret: string): string => join(folder, namespace, secret);
  const authorities = certificates.filter(({ spec }) => spec.isCA);
  const secrets: object[] = [];
  for (const certificate of [...authorities, ...certificates.filter(({ spec }) => !spec.isCA)]) {
    const { metadata, spec } = certificate;
    const issuer = issuers.find(
      (one) => one.metadata.namespace === metadata.namespace && one.metadata.name === spec.issuerRef.name,
    );
    if (!issuer)
      throw new Error(`the Certificate ${metadata.name} names an Issuer that is not there: ${spec.issuerRef.name}`);
    const place = placeOf(metadata.namespace, spec.secretName);
    const signer = issuer.spec.ca ? placeOf(metadata.namespace, issuer.spec.ca.secretName) : undefined;
    if (!spec.isCA || !(await isThere(place))) await issue(certificate, place, signer);
    const files = Object.fromEntries(
      await Promise.all(FILES.map(async (file) => [file, await readFile(join(place, file), "utf8")])),
    );
    const { namespace } = metadata;
    secrets.push(secretObject({ name: spec.secretName, namespace, files }, "kubernetes.io/tls"));
  }
  if (secrets.length > 0) await applyAll(kubectl, secrets);
}

async function issue({ metadata, spec }: Certificate, place: string, signer: string | undefined): Promise<void> {
  const { algorithm, size } = spec.privateKey;
  if (algorithm !== "ECDSA")
    throw new Error(`the Certificate ${metadata.name} wants a key of ${algorithm}, which is not known here`);
  const hours = /^(\d+)h$/.exec(spec.duration)?.[1];
  if (!hours) throw new Error(`the Certificate ${metadata.name} has the duration ${spec.duration}, expected hours`);
  await mkdir(place, { recursive: true, mode: 0o700 });
  const picked = (names: Readonly<Record<string, string>>) =>
    spec.usages.flatMap((usage) => names[usage] ?? []).join(",");
  const extensions = [
    `basicConstraints=critical,CA:${spec.isCA ? "TRUE" : "FALSE"}`,
    `keyUsage=critical,${picked(KEY_USAGES)}`,
    ...(picked(EXTENDED_USAGES) ? [`extendedKeyUsage=${picked(EXTENDED_USAGES)}`] : []),
    ...(spec.dnsNames ? [`subjectAltName=${spec.dnsNames.map((name) => `DNS:${name}`).join(",")}`] : []),
  ];
  await run("openssl", [
    ...["req", "-x509", "-new", "-noenc", "-newkey", "ec", "-pkeyopt", `ec_paramgen_curve:P-${size}`],
    ...["-days", String(Math.ceil(Number(hours) / 24)), "-subj", spec.commonName ? `/CN=${spec.commonName}` : "/"],
    ...extensions.flatMap((extension) => ["-addext", extension]),
    ...(signer ? ["-CA", join(signer, "tls.crt"), "-CAkey", join(signer, "tls.key")] : []),
    ...["-keyout", join(place, "tls.key"), "-out", join(place, "tls.crt")],
  ]);
  await writeFile(join(place, "ca.crt"), await readFile(join(signer ?? place, "tls.crt")));
}

const isThere = (place: string): Promise<boolean> =>
  readFile(join(place, "tls.crt")).then(
    () => true,
    () => false,
  );

/** Objects of a kind, in all namespaces; none where the kind is not known. */
export async function listed<T>(kubectl: Kubectl, kind: string): Promise<readonly T[]> {
  const { items } = JSON.parse(await kubectl(["get", kind, "--all-namespaces", "--output=json"]));
  return items;
}

/** A Secret by its files. */
export const secretObject = ({ name, namespace, files }: RenderedSecret, type = "Opaque"): object => ({
  apiVersion: "v1",
  kind: "Secret",
  type,
  metadata: { name, namespace },
  data: Object.fromEntries(Object.entries(files).map(([file, text]) => [file, Buffer.from(text).toString("base64")])),
});

/**
 * On the server's side: a client's apply would keep a copy of the secrets in an annotation. What is sent is made here, so that
 * it need not be checked by the server's schema, which a busy machine takes long to give.
 */
export const applyAll = (kubectl: Kubectl, objects: readonly object[]): Promise<string> =>
  kubectl(
    ["apply", "--server-side", "--validate=false", "--request-timeout=180s", "--filename=-"],
    JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }),
  );
