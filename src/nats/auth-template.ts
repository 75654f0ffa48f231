/**
 * auth.conf: accounts, users and permissions, included into nats.conf. In dist it is the template of an ExternalSecret, so that
 * reviews see who may do what; keys are put in by External Secrets, or here where an environment has no secret store. Both
 * texts come from one function and are the same byte for byte.
 */
import { type Identity, identities, SYSTEM_ACCOUNT } from "../model/identity.ts";
import type { Model } from "../model/resolve.ts";
import { accountSettings, LAST_LINE } from "./auth-accounts.ts";
import { type ConfigBlock, renderBlock } from "./config-file.ts";
import { type Grant, permissionsOf } from "./permissions.ts";

/** The server's half of a document in the secret store: every property always there, "" for none. */
export type AuthDocument = Readonly<Record<string, string>>;

const PROPERTIES = {
  nkey: ["current", "previous"],
  password: ["currentUser", "current", "previousUser", "previous"],
} as const;

/** Properties that the template needs of an identity's document. */
export const authProperties = ({ credential }: Pick<Identity, "credential">): readonly string[] =>
  PROPERTIES[credential];

/** `oms_current_user`: a template's key cannot have a "-" or be told apart by case. */
export const templateKey = ({ name }: Pick<Identity, "name">, property: string): string =>
  `${name.replaceAll("-", "_")}_${property.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;

/** One way to log in. Without a user it is an NKey: also of an identity with a password, which may be on its way to one. */
interface Login {
  readonly user?: string;
  readonly secret: string;
}

/** As it stands in the file, of what is quoted or of the template's expression for it. */
const keyLine = (key: string): string => `nkey: ${key}`;
const passwordLines = (user: string, hash: string): string => `user: ${user}\n        password: ${hash}`;

/** How the parts that are not known here come into the text. */
interface Filling {
  readonly head: (everybody: readonly Identity[]) => string;
  readonly text: (fixed: string) => string;
  /** Repeats `block` for each login that there is: the current one, and the previous one while a rotation is under way. */
  readonly users: (identity: Identity, block: (login: string) => string) => string;
}

/** What a login must look like: one that is not would keep every server from starting again, so it never gets that far. */
const SHAPES = {
  nkey: { pattern: "^U[A-Z2-7]{55}$", expected: "the public NKey of a user" },
  user: { pattern: "^[A-Za-z0-9_-]+$", expected: "a user name of letters, digits, _ and -" },
  password: { pattern: "^[$]2[abxy][$][0-9]{2}[$][./A-Za-z0-9]{53}$", expected: "a bcrypt hash" },
} as const;
type Shape = keyof typeof SHAPES;

/** The template, for engineVersion v2: text/template with sprig and an error for keys that the store did not give. */
export const authTemplate = (model: Model): string => authText(model, TEMPLATE);

/** What a login is known by to the server: one that stands twice keeps it from starting. */
const distinct = (everybody: readonly Identity[]): string => {
  const names = everybody.map((identity) => {
    const key = (property: string) => `.${templateKey(identity, property)}`;
    return identity.credential === "nkey"
      ? `  ${key("current")} ${key("previous")}`
      : `  (or ${key("currentUser")} ${key("current")}) (or ${key("previousUser")} ${key("previous")})`;
  });
  return (
    `{{- $logins := compact (list\n${names.join("\n")}\n) }}` +
    '{{ if ne (len $logins) (len (uniq $logins)) }}{{ fail "one key or user name stands in two places" }}{{ end -}}\n'
  );
};

const shapes = (): string =>
  Object.entries(SHAPES)
    .map(
      ([shape, { pattern, expected }]) =>
        `{{- define "${shape}" }}{{ if regexMatch "${pattern}" (last .) }}{{ last . | quote }}{{ else }}` +
        `{{ fail (print (first .) " is not ${expected}") }}{{ end }}{{ end -}}\n`,
    )
    .join("");

const TEMPLATE: Filling = {
  head: (everybody) => shapes() + distinct(everybody),
  text: (fixed) => fixed.replaceAll("{{", '{{ "{{" }}'),
  users: (identity, block) => {
    const key = (property: string) => `.${templateKey(identity, property)}`;
    const checked = (shape: Shape, value: string) => `{{ template "${shape}" (list "${identity.name}" ${value}) }}`;
    const [logins, filled] =
      identity.credential === "nkey"
        ? [`${key("current")} ${key("previous")}`, keyLine(checked("nkey", "."))]
        : [
            `(list ${key("currentUser")} ${key("current")}) (list ${key("previousUser")} ${key("previous")})`,
            `{{ if (first .) }}${passwordLines(checked("user", "(first .)"), checked("password", "(last .)"))}{{ else }}` +
              `${keyLine(checked("nkey", "(last .)"))}{{ end }}`,
          ];
    const present = identity.credential === "nkey" ? "." : "(last .)";
    return `\n      {{- range list ${logins} }}{{ if ${present} }}${block(filled)}\n      {{- end }}{{ end }}`;
  },
};

/** Documents that do not give what auth.conf needs; the message names each of them. */
export class UnusableDocuments extends Error {
  override readonly name = "UnusableDocuments";
}

/**
 * auth.conf with the keys of `documents`, by identity.
 * @throws UnusableDocuments with every document that is missing, lacks a property or holds no such thing
 */
export function renderAuth(model: Model, documents: Readonly<Record<string, AuthDocument>>): string {
  const everybody = identities(model);
  const faults = [
    ...everybody.flatMap((identity) => documentFaults(identity, documents[identity.name])),
    ...sharedLogins(everybody, documents),
  ];
  if (faults.length > 0) throw new UnusableDocuments(faults.join("\n"));
  return authText(model, {
    head: () => "",
    text: (fixed) => fixed,
    users: (identity, block) =>
      loginsOf(identity, documents[identity.name] ?? {})
        .map(({ user, secret }) =>
          user === undefined
            ? keyLine(JSON.stringify(secret))
            : passwordLines(JSON.stringify(user), JSON.stringify(secret)),
        )
        .map(block)
        .join(""),
  });
}

const loginsOf = ({ credential }: Identity, document: AuthDocument): Login[] =>
  (["current", "previous"] as const).flatMap((which) => {
    const secret = document[which] ?? "";
    if (secret === "") return [];
    const user = credential === "nkey" ? "" : (document[`${which}User`] ?? "");
    return [user === "" ? { secret } : { user, secret }];
  });

/** Says what is wrong without saying what is there: it may be a seed in the wrong place. */
function documentFaults(identity: Identity, document: AuthDocument | undefined): string[] {
  const { name } = identity;
  if (!document) return [`${name}: there is no document. Make it: circl identity create`];
  const missing = authProperties(identity).filter((property) => typeof document[property] !== "string");
  if (missing.length > 0) return [`${name}: the document lacks ${missing.join(", ")}; "" stands for none`];
  const isNot = (shape: Shape, value = "") =>
    new RegExp(SHAPES[shape].pattern).test(value) ? [] : [`${name} is not ${SHAPES[shape].expected}`];
  return loginsOf(identity, document).flatMap(({ user, secret }) => [
    ...(user === undefined ? [] : isNot("user", user)),
    ...isNot(user === undefined ? "nkey" : "password", secret),
  ]);
}

function sharedLogins(everybody: readonly Identity[], documents: Readonly<Record<string, AuthDocument>>): string[] {
  const owners = new Map<string, string>();
  return everybody.flatMap((identity) =>
    loginsOf(identity, documents[identity.name] ?? {}).flatMap(({ user, secret }) => {
      const owner = owners.get(user ?? secret);
      owners.set(user ?? secret, identity.name);
      if (owner === undefined) return [];
      return [
        `${owner === identity.name ? owner : `${owner} and ${identity.name}`}: one key or user name stands in two places`,
      ];
    }),
  );
}

function authText(model: Model, filling: Filling): string {
  const settings = accountSettings(model);
  const everybody = identities(model);
  const accounts = Object.entries(settings).map(([account, setting]) => {
    const users = everybody
      .filter((identity) => identity.account === account)
      .map((identity) => {
        const permissions = renderBlock({ permissions: permissionBlock(identity, model) }, "        ");
        const block = (login: string) => `\n      {\n        ${login}\n${filling.text(permissions)}\n      }`;
        return `\n      # ${identity.name}, ${identity.role ?? identity.kind}${filling.users(identity, block)}`;
      });
    const fixed = filling.text(renderBlock(setting, "    "));
    return `  "${account}" {\n${fixed}\n    users: [${users.join("")}\n    ]\n  }\n`;
  });
  return `${filling.head(everybody)}# Written by circl from streams/ and environments/: change those. Keys are in the secret store.\naccounts {\n${accounts.join("")}}\n${LAST_LINE}: ${SYSTEM_ACCOUNT}\n`;
}

function permissionBlock(identity: Identity, model: Model): ConfigBlock {
  const { publish, subscribe } = permissionsOf(identity, model);
  return { publish: allowed(publish), subscribe: allowed(subscribe) };
}

/** An empty list of allowed subjects allows all of them. */
const allowed = (grants: readonly Grant[]): ConfigBlock =>
  grants.length === 0 ? { deny: [">"] } : { allow: grants.map(({ subject }) => subject) };
