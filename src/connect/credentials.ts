/** Files of credentials, looked at before anybody is dialled: the client finds their faults late and names no file. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { nkeys } from "nats";
import type { Target } from "./nats.ts";

/** What is wrong with the files that a target names, one sentence each, and nothing of what is in them. */
export function credentialProblems({ nkeyFile, credsFile, tls = {} }: Target): string[] {
  const { ca, cert, key } = tls;
  const problems = [
    ...judged(nkeyFile, isSeed, 'holds no seed of an NKey user: one line that begins with "SU"'),
    ...judged(credsFile, isCreds, "holds no credentials of a JWT user: a JWT and a seed, each between lines of dashes"),
    ...judged(ca, isCertificate, "holds no certificate (PEM)"),
    ...judged(cert, isCertificate, "holds no certificate (PEM)"),
    ...judged(key, isKey, "holds no private key without a passphrase (PEM)"),
  ];
  if (problems.length > 0 || !cert || !key) return problems;
  return new X509Certificate(readFileSync(cert)).checkPrivateKey(createPrivateKey(readFileSync(key)))
    ? []
    : [`${key} is not the key of ${cert}`];
}

function judged(file: string | undefined, isSound: (text: string) => boolean, says: string): string[] {
  if (file === undefined) return [];
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    return [(error as NodeJS.ErrnoException).code === "ENOENT" ? `there is no file ${file}` : `${file} cannot be read`];
  }
  return isSound(text) ? [] : [`${file} ${says}`];
}

const isSeed = (text: string): boolean =>
  works(() => nkeys.fromSeed(new TextEncoder().encode(text.trim())).getPublicKey().startsWith("U"));

/** As `nsc` and the `nats` command write them. */
const isCreds = (text: string): boolean => {
  const [jwt, seed] = [...text.matchAll(/^-{3,}BEGIN [^\n]*-{3,}\r?\n(.+)\r?\n\s*-{3,}END [^\n]*$/gm)].map(
    (match) => match[1] ?? "",
  );
  return jwt?.split(".").length === 3 && seed !== undefined && isSeed(seed);
};

const isCertificate = (text: string): boolean => works(() => Boolean(new X509Certificate(text)));
const isKey = (text: string): boolean => works(() => createPrivateKey(text).type === "private");

const works = (judge: () => boolean): boolean => {
  try {
    return judge();
  } catch {
    return false;
  }
};
