import { randomBytes } from 'node:crypto'
import { CookieSessionStore } from '../../../src/auth/session/cookie-session-store.ts'
import { SessionKeys } from '../../../src/auth/session/session-keys.ts'
import { describeSessionStore } from './store-contract.ts'
import { worldOf, type NewStore } from './store-world.ts'

const newStore: NewStore = (clock) => new CookieSessionStore(clock, randomBytes, new SessionKeys())

describeSessionStore('cookies', (session = {}) => worldOf(newStore, session))
