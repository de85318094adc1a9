// How to submit, as text to copy. The key is always read from the environment or a file that the platform's secret store fills;
// no snippet puts a secret on a command line.
const url = typeof location === 'undefined' ? 'https://bailiwick.example' : location.origin;

export type Platform = 'github' | 'azure' | 'powershell' | 'shell';
export type Proof = 'oidc' | 'key';

export const SNIPPETS: Record<Platform, Partial<Record<Proof, string>> & { key: string }> = {
  github: {
    oidc: `permissions:
  contents: read
  id-token: write   # lets the job prove who it is; no secret is stored

jobs:
  evidence:
    runs-on: ubuntu-latest
    steps:
      # ... the steps that make the report ...
      - name: Submit to Bailiwick
        env:
          BAILIWICK_URL: ${url}
          # An application of your directory with a federated credential for this repository.
          AZURE_TENANT_ID: \${{ vars.AZURE_TENANT_ID }}
          AZURE_CLIENT_ID: \${{ vars.AZURE_CLIENT_ID }}
        run: >
          bailiwick upload test-results/TestResults.json test-results/TestResults.html
          --source "GitHub Actions"
          --pipeline-run-id "$GITHUB_RUN_ID"
`,
    key: `      - name: Submit to Bailiwick
        env:
          BAILIWICK_URL: ${url}
          BAILIWICK_TOKEN: \${{ secrets.BAILIWICK_TOKEN }}
        run: >
          bailiwick upload test-results/TestResults.json
          --source "GitHub Actions"
          --pipeline-run-id "$GITHUB_RUN_ID"
`,
  },
  azure: {
    oidc: `- task: AzureCLI@2
  displayName: Submit to Bailiwick
  inputs:
    # A service connection by workload identity federation; the task names its application to the script.
    azureSubscription: bailiwick-upload
    addSpnToEnvironment: true
    scriptType: bash
    scriptLocation: inlineScript
    inlineScript: >
      bailiwick upload test-results/TestResults.json
      --source "Azure DevOps"
      --pipeline-run-id "$BUILD_BUILDID"
  env:
    BAILIWICK_URL: ${url}
    SYSTEM_ACCESSTOKEN: $(System.AccessToken)
`,
    key: `- script: >
    bailiwick upload test-results/TestResults.json
    --source "Azure DevOps"
    --pipeline-run-id "$BUILD_BUILDID"
  displayName: Submit to Bailiwick
  env:
    BAILIWICK_URL: ${url}
    BAILIWICK_TOKEN: $(BailiwickToken)   # a secret variable
`,
  },
  powershell: {
    key: `Install-Module Maester -Scope CurrentUser
Connect-Maester
Invoke-Maester -OutputFolder ./test-results -NonInteractive

$env:BAILIWICK_URL = '${url}'
# A file that only you can read, with the API key in it.
$env:BAILIWICK_TOKEN_FILE = "$HOME/.bailiwick/token"
bailiwick upload (Get-Item ./test-results/*.json).FullName --source 'PowerShell'
`,
  },
  shell: {
    key: `export BAILIWICK_URL=${url}
export BAILIWICK_TOKEN_FILE=~/.bailiwick/token   # holds the API key, mode 600
bailiwick upload TestResults.json --source "My machine"
`,
  },
};
