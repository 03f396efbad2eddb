<#
.SYNOPSIS
  Installs, starts, stops and removes the driver SectileWdm.

.DESCRIPTION
  install    makes a service for SectileWdm.sys and starts it. With a catalog (SectileWdm.cat) beside it, the driver
             goes to the driver store by its INF; without one it runs from where it is, which is for tests.
  start      starts the driver.
  stop       stops it.
  uninstall  stops it and removes what install made. Safe to call when nothing is there.
  status     says what is there.

  Windows loads signed drivers only. For tests sign with a certificate of your own and turn test signing on:

    bcdedit /set testsigning on            (then restart; Secure Boot must be off)
    New-SelfSignedCertificate -Type CodeSigningCert -Subject "CN=SectileWdm test" -CertStoreLocation Cert:\LocalMachine\My
    signtool sign /fd SHA256 /sm /n "SectileWdm test" SectileWdm.sys

.EXAMPLE
  .\install.ps1 install -Driver build\Release\SectileWdm.sys
#>
[CmdletBinding()]
param(
  [Parameter(Mandatory, Position = 0)]
  [ValidateSet('install', 'start', 'stop', 'uninstall', 'status')]
  [string] $Action,

  # The driver's file; used by install.
  [string] $Driver = (Join-Path $PSScriptRoot 'SectileWdm.sys')
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$Name = 'SectileWdm'

# Error numbers of the service manager that mean something to a user.
$Hints = @{
  2    = 'the file of the driver is not where the service says it is'
  5    = 'access is denied: is this PowerShell run as administrator?'
  577  = 'the signature is not trusted: sign the driver, and turn test signing on for a certificate of your own'
  1056 = 'it runs already'
  1058 = 'the service is disabled'
  1060 = 'it is not installed'
  1062 = 'it does not run'
  1072 = 'the service is about to be deleted: close what uses it, or restart'
  1073 = 'it is installed already: uninstall it first'
  1275 = 'the system blocks this driver: look at memory integrity and the list of vulnerable drivers'
}

function Stop-WithReason([string] $What, [int] $Code) {
  $reason = if ($Hints.ContainsKey($Code)) { $Hints[$Code] } else { "error $Code, see: net helpmsg $Code" }
  [Console]::Error.WriteLine("${Name}: $What failed: $reason")
  exit 1
}

# Runs a program of the system; ends the script when its exit code is none of those allowed.
function Invoke-Tool([string] $What, [int[]] $Allowed, [string] $Program, [string[]] $Arguments) {
  $output = & $Program @Arguments
  $code = $LASTEXITCODE
  Write-Verbose ($output -join "`n")
  if ($code -notin $Allowed) { Stop-WithReason $What $code }
  return $output
}

function Assert-Administrator {
  $principal = [Security.Principal.WindowsPrincipal] [Security.Principal.WindowsIdentity]::GetCurrent()
  if (-not $principal.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) {
    [Console]::Error.WriteLine("${Name}: drivers are an administrator's affair: open PowerShell with 'Run as administrator'")
    exit 1
  }
}

function Get-DriverService { Get-CimInstance Win32_SystemDriver -Filter "Name='$Name'" }

# The INF's name in the driver store (oem12.inf), or nothing.
function Get-StoredInf {
  Get-WindowsDriver -Online | Where-Object { (Split-Path $_.OriginalFileName -Leaf) -eq "$Name.inf" } |
    Select-Object -ExpandProperty Driver
}

function Install-Driver {
  if (-not (Test-Path -LiteralPath $Driver -PathType Leaf)) {
    [Console]::Error.WriteLine("${Name}: there is no $Driver. Build it first, or name it by -Driver")
    exit 1
  }
  $file = (Resolve-Path -LiteralPath $Driver).Path
  $folder = Split-Path $file
  $signature = Get-AuthenticodeSignature -LiteralPath $file
  if ($signature.Status -eq 'NotSigned') {
    Write-Warning "$file is not signed: Windows will not load it. See: Get-Help $PSCommandPath"
  }
  if ((Test-Path (Join-Path $folder "$Name.inf")) -and (Test-Path (Join-Path $folder "$Name.cat"))) {
    # 259: it was there already, 3010: done, and a restart is asked for.
    Invoke-Tool 'pnputil' @(0, 259, 3010) 'pnputil.exe' @('/add-driver', (Join-Path $folder "$Name.inf"), '/install') | Out-Null
  } else {
    Invoke-Tool 'creating the service' @(0) 'sc.exe' @('create', $Name, 'type=', 'kernel', 'start=', 'demand', 'binPath=', $file) |
      Out-Null
  }
  Start-Driver
}

function Start-Driver {
  Invoke-Tool 'starting' @(0, 1056) 'sc.exe' @('start', $Name) | Out-Null
  Write-Output "$Name runs: applications find Global\${Name}Sample and Global\${Name}Controls"
}

function Stop-Driver {
  Invoke-Tool 'stopping' @(0, 1062) 'sc.exe' @('stop', $Name) | Out-Null
  Write-Output "$Name does not run"
}

# A driver of the system that happens to have this name is not ours to touch.
function Assert-Ours {
  $service = Get-DriverService
  if ($null -ne $service -and $service.PathName -match '\\system32\\drivers\\') {
    [Console]::Error.WriteLine("${Name}: $($service.PathName) is a driver of the system with the same name: nothing is done")
    exit 1
  }
}

function Uninstall-Driver {
  $stored = @(Get-StoredInf)
  if ($null -ne (Get-DriverService)) {
    Invoke-Tool 'stopping' @(0, 1060, 1062) 'sc.exe' @('stop', $Name) | Out-Null
    if ($stored.Count -eq 0) { Invoke-Tool 'deleting the service' @(0, 1060) 'sc.exe' @('delete', $Name) | Out-Null }
  }
  foreach ($inf in $stored) {
    Invoke-Tool 'pnputil' @(0, 3010) 'pnputil.exe' @('/delete-driver', $inf, '/uninstall') | Out-Null
  }
  Write-Output "$Name is not installed"
}

function Show-Status {
  $service = Get-DriverService
  if ($null -eq $service) { Write-Output "$Name is not installed" }
  else { Write-Output "$Name is installed from $($service.PathName): $($service.State)" }
}

if ($Action -eq 'status') { Show-Status; exit 0 }
Assert-Administrator
Assert-Ours
switch ($Action) {
  'install' { Install-Driver }
  'start' { Start-Driver }
  'stop' { Stop-Driver }
  'uninstall' { Uninstall-Driver }
}
