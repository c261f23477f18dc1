/**
 * The part of oidc-provider 9 that is used here; the package ships no types.
 *
 * @see https://github.com/panva/node-oidc-provider/blob/main/docs/README.md
 */
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  /** What the library stores for a token, code, grant, session or interaction. */
  export interface Entity {
    readonly jti: string
    readonly clientId?: string
    readonly accountId?: string
    readonly grantId?: string
    readonly scope?: string
    readonly authTime?: number
    readonly sessionUid?: string
    readonly iat: number
    readonly exp: number
    readonly isValid: boolean
  }

  export interface Model {
    find(id: string): Promise<Entity | undefined>
  }

  export interface Grant {
    accountId: string
    clientId: string
    addOIDCScope(scope: string): void
    addResourceScope(resource: string, scope: string): void
    save(): Promise<string>
  }

  export interface Interaction {
    readonly uid: string
    readonly prompt: { readonly name: string }
    readonly params: Readonly<Record<string, unknown>>
  }

  export interface BrowserSession {
    readonly accountId?: string
    destroy(): Promise<void>
  }

  /** The Koa context of a request. */
  export interface Context {
    readonly req: IncomingMessage
    readonly res: ServerResponse
    readonly path: string
    status: number
    type: string
    body: unknown
    readonly response: { get(name: string): string | undefined }
    set(name: string, value: string): void
    readonly cookies: { set(name: string, value: null, options?: object): void }
    /** Absent where no route of the library matched. */
    readonly oidc?: OIDCContext
  }

  export interface OIDCContext {
    readonly route: string
    readonly params: Readonly<Record<string, string | undefined>>
    readonly client: { readonly clientId: string }
    readonly account: Account
    readonly requestParamScopes: ReadonlySet<string>
    readonly entities: Readonly<Record<string, Entity | undefined>>
    readonly provider: Provider
  }

  export interface Account {
    readonly accountId: string
    claims(): Promise<Record<string, unknown>>
  }

  export class Provider {
    issuer: string
    constructor(issuer: string, configuration: object)
    use(middleware: (ctx: Context, next: () => Promise<void>) => Promise<void>): this
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>
    createContext(request: IncomingMessage, response: ServerResponse): Context
    cookieName(type: 'session' | 'interaction' | 'resume'): string
    on(event: 'server_error', listener: (ctx: Context, error: Error) => void): this
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<Interaction>
    interactionFinished(
      request: IncomingMessage,
      response: ServerResponse,
      result: object,
      options?: { mergeWithLastSubmission?: boolean },
    ): Promise<void>
    readonly Grant: new (values: { accountId: string; clientId: string }) => Grant
    readonly Session: { get(ctx: Context): Promise<BrowserSession> }
    readonly AccessToken: Model
    readonly ClientCredentials: Model
    readonly RefreshToken: Model
  }

  export class Prompt {
    readonly checks: { remove(reason: string): void }
    constructor(options: { name: string; requestable: boolean })
  }

  export const interactionPolicy: {
    readonly Prompt: typeof Prompt
    base(): { remove(name: string): void; add(prompt: Prompt): void }
  }

  export const errors: {
    readonly InvalidScope: new (description: string, scope?: string) => Error
    readonly InvalidRequest: new (description: string) => Error
    readonly AccessDenied: new (description: string) => Error
  }
}
