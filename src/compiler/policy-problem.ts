/** Why an OIDCPlugin is not accepted, or what to know about it although it is. */
export interface PolicyProblem {
  /** `spec.…` */
  readonly path: string
  readonly message: string
  readonly remedy: string
}

/** Collects problems while the parts of a policy are compiled, so that all are told at once. */
export class PolicyProblems {
  readonly list: PolicyProblem[] = []

  add(path: string, message: string, remedy: string): void {
    this.list.push({ path: path === '' ? 'spec' : `spec.${path}`, message, remedy })
  }
}
