/** What keeps data and connections closed, and names that a rotation needs. */
import { identities } from "../../model/identity.ts";
import type { Model } from "../../model/resolve.ts";
import { secondName } from "../../model/user-name.ts";
import { inEnvironment } from "../place.ts";
import type { Rule } from "../rule.ts";

const plainFiles: Rule<Model> = {
  code: "E016",
  severity: "warning",
  title: "Messages on disk in clear",
  reason:
    "Whoever gets at a volume, a snapshot or a disk that was given back reads every position and order from the files of JetStream.",
  hint: 'Set nats.encryption to "aes": a rollout encrypts what is there.',
  *check(model) {
    const { nats, development } = model.environment;
    if (nats.encryption === "none" && !development) {
      yield { place: inEnvironment(model, "nats.encryption"), says: 'is "none"' };
    }
  },
};

const certificatesWithoutTls: Rule<Model> = {
  code: "E017",
  severity: "error",
  title: "Certificates of clients without TLS",
  reason:
    "A certificate is shown in a TLS handshake: without TLS nobody is asked for one, and clients get in as before.",
  hint: "Set nats.tls to true, or nats.clients.certificates to false.",
  *check(model) {
    const { nats } = model.environment;
    if (nats.clients.certificates && !nats.tls) {
      yield { place: inEnvironment(model, "nats.clients.certificates"), says: "is true while nats.tls is false" };
    }
  },
};

const takenName: Rule<Model> = {
  code: "E018",
  severity: "error",
  title: "The second user name of another identity",
  reason:
    "A password in rotation has two user names, because the server refuses one name with two passwords; a name that is taken makes it " +
    "refuse auth.conf as a whole, at the next reload in the middle of a rotation.",
  hint: "Give one of the two another name.",
  *check(model) {
    const names = identities(model).map(({ name }) => name);
    for (const { name, credential } of identities(model)) {
      if (credential === "password" && names.includes(secondName(name))) {
        yield {
          place: inEnvironment(model, "nats.clients.passwords"),
          says: `has "${name}", which rotates to "${secondName(name)}": that is an identity`,
        };
      }
    }
  },
};

export const credentialRules = [plainFiles, certificatesWithoutTls, takenName];
