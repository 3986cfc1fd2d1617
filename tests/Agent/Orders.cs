using ControlPlane.Messages;

namespace ControlPlane.Agent.Tests;

/// <summary>Commands for one VM's NIC on switch prod, as the entities write them.</summary>
static class Orders
{
    public const string NicKey = "nic/web-1/eth0";

    public static DriverCommand Switch(string name = "prod") => new($"switch/hv01/{name}>ensure", DriverVerb.EnsureSwitch, name);

    public static DriverCommand Port(string port, string on = "prod") =>
        new($"port/hv01/{on}/{port}>create", DriverVerb.CreatePort, on, port);

    public static DriverCommand Nic(DriverVerb verb, long epoch = 1, long revision = 1, bool up = false, string nic = "eth0", string on = "prod") =>
        new($"nic/web-1/{nic}>{verb}:{epoch}:{revision}", verb, on, $"p-{nic}", "web-1", nic, $"nic/web-1/{nic}", epoch, revision, up);

    public static DriverCommand Fault(DriverVerb verb, NdisStatus status, int times) =>
        new($"fault:{verb}", DriverVerb.PlantFault, "", Fault: new PlantedFault(verb, status, times));
}
