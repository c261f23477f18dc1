/** An app registered at the server. Confidential clients may use client_secret_basic and client_secret_post alike. */
export interface ClientRegistration {
  readonly clientId: string
  /** Absent: a public client, which names itself by `client_id` alone. */
  readonly clientSecret?: string
  readonly grantTypes: readonly GrantType[]
  /** Needed with `authorization_code`; compared character by character. */
  readonly redirectUris?: readonly string[]
  readonly postLogoutRedirectUris?: readonly string[]
  /** What the access policy grants this client. Absent: every scope of the server. */
  readonly scopes?: readonly string[]
}

export type GrantType = 'authorization_code' | 'refresh_token' | 'client_credentials'

/** A person. Any password that is not empty signs in. */
export interface UserRegistration {
  /** `uid` of access tokens and `sub` of ID tokens; Okta's begin with 00u. */
  readonly id: string
  /** What is typed at sign-in; `sub` of access tokens. */
  readonly login: string
  readonly name: string
  readonly groups: readonly string[]
}

/** A scope of the server besides the OpenID Connect ones. */
export interface ScopeRegistration {
  readonly name: string
  /** Granted to a client-credentials request that names no scope. */
  readonly default?: boolean
}

/** Scopes that every Okta authorization server has; none can be had without a user. */
export const OPENID_SCOPES = ['openid', 'profile', 'email', 'address', 'phone', 'offline_access'] as const

export const DEMO_CLIENTS: readonly ClientRegistration[] = [
  {
    clientId: 'orders-service',
    clientSecret: 'orders-secret',
    grantTypes: ['client_credentials'],
    scopes: ['orders.read'],
  },
  {
    clientId: 'ostiary',
    clientSecret: 'ostiary-secret',
    grantTypes: ['authorization_code', 'refresh_token'],
    redirectUris: ['localhost', '127.0.0.1', '[::1]'].map((host) => `http://${host}:8080/oauth2/callback`),
    postLogoutRedirectUris: ['localhost', '127.0.0.1', '[::1]'].map((host) => `http://${host}:8080/public`),
  },
]

export const DEMO_USERS: readonly UserRegistration[] = [
  {
    id: '00u1alicePqRsTuVw5d7',
    login: 'alice@example.com',
    name: 'Alice Archer',
    groups: ['Everyone', 'Engineering'],
  },
  { id: '00u2bobXyZaBcDeFg5d7', login: 'bob@example.com', name: 'Bob Baker', groups: ['Everyone'] },
]

export const DEMO_SCOPES: readonly ScopeRegistration[] = [{ name: 'orders.read' }]

/** The registered clients and users, and which of them an administrator has deactivated. */
export class Registry {
  readonly #clients: ReadonlyMap<string, ClientRegistration>
  readonly #users: ReadonlyMap<string, UserRegistration>
  readonly #inactiveClients = new Set<string>()
  readonly #inactiveUsers = new Set<string>()

  constructor(clients: readonly ClientRegistration[], users: readonly UserRegistration[]) {
    this.#clients = new Map(clients.map((client) => [client.clientId, client]))
    this.#users = new Map(users.map((user) => [user.id, user]))
  }

  /** Also a deactivated client. */
  client(clientId: string): ClientRegistration | undefined {
    return this.#clients.get(clientId)
  }

  isActiveClient(clientId: string): boolean {
    return this.#clients.has(clientId) && !this.#inactiveClients.has(clientId)
  }

  activeUser(id: string): UserRegistration | undefined {
    return this.#inactiveUsers.has(id) ? undefined : this.#users.get(id)
  }

  activeUserByLogin(login: string): UserRegistration | undefined {
    const user = this.#userByLogin(login)
    return user && this.activeUser(user.id)
  }

  get logins(): readonly string[] {
    return [...this.#users.values()].map((user) => user.login)
  }

  setClientActive(clientId: string, active: boolean): void {
    if (!this.#clients.has(clientId)) throw new Error(`no client ${clientId}`)
    if (active) this.#inactiveClients.delete(clientId)
    else this.#inactiveClients.add(clientId)
  }

  /** @returns The id of the user. */
  setUserActive(login: string, active: boolean): string {
    const user = this.#userByLogin(login)
    if (!user) throw new Error(`no user ${login}`)
    if (active) this.#inactiveUsers.delete(user.id)
    else this.#inactiveUsers.add(user.id)
    return user.id
  }

  #userByLogin(login: string): UserRegistration | undefined {
    return [...this.#users.values()].find((user) => user.login.toLowerCase() === login.toLowerCase())
  }
}
