using System.Security.Cryptography;
using System.Text;

namespace ControlPlane.DriverLinux;

/// <summary>
/// DeviceNames that the kernel accepts, derived from names that people give. A device name has at most 15 characters, so what
/// does not fit becomes a hash; the device's alias tells what it stands for. The same name always derives the same way:
/// that is how a driver finds its devices again.
/// </summary>
sealed class DeviceNames(string prefix, string host)
{
    const int LinkNameMax = 15;
    const int NamespaceNameMax = 200;
    const int HashDigits = 12;

    public string Host { get; } = host;
    public string HostNamespace { get; } = prefix + Plain(host, NamespaceNameMax);
    public string UnderlayNamespace { get; } = prefix + "underlay";

    public string GuestNamespace(string vm) => prefix + "vm-" + Plain(vm, NamespaceNameMax);

    public string BackplaneNamespace(string vm) => prefix + "bp-" + Plain(vm, NamespaceNameMax);

    /// <summary>
    /// The far end of a NIC's veth in the backplane: per host, because two hosts may be plugged in at a time.
    /// </summary>
    public string Plug(string nicKey) => "p-" + Hash(Host + "/" + nicKey);

    /// <summary>The far end of a switch's uplink in the underlay.</summary>
    public string UplinkFarEnd(string switchName) => "u-" + Hash(Host + "/" + switchName);

    public static string Uplink(string switchName) => "up-" + Hash(switchName);

    /// <summary>The host-side device of a NIC: its gate.</summary>
    public static string Nic(string nicKey) => "n-" + Hash(nicKey);

    /// <summary>Whether it could be the name of a NIC's device.</summary>
    public static bool IsNic(string device) =>
        device.Length == 2 + HashDigits && device.StartsWith("n-", StringComparison.Ordinal) && device[2..].All(char.IsAsciiHexDigitLower);

    /// <summary>The host's own end of an internal NIC.</summary>
    public static string HostEnd(string nicKey) => "h-" + Hash(nicKey);

    public static string Bridge(string name) => Link("", "br-", name);

    /// <summary>A further bridge of a switch that has more ports than a bridge takes.</summary>
    public static string Leaf(string switchName, int number) => "bl-" + Hash($"{switchName}/{number}");

    /// <summary>The end on the first bridge of the veth that joins a further one.</summary>
    public static string Joint(string switchName, int number) => "j-" + Hash($"{switchName}/{number}");

    public static string JointFarEnd(string switchName, int number) => "k-" + Hash($"{switchName}/{number}");

    /// <summary>The NIC's bridge in the backplane.</summary>
    public static string BackplaneBridge(string nic) => Link("br-", "br-", nic);

    /// <summary>The backplane's end of the guest's device.</summary>
    public static string GuestPort(string nic) => Link("g-", "g-", nic);

    /// <summary>The guest's device, as the guest sees it.</summary>
    public static string GuestDevice(string nic) => Link("", "nic-", nic);

    /// <summary>Twelve digits: 48 bits, so that ten thousand names collide with a chance of one in millions.</summary>
    public static string Hash(string text) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..HashDigits];

    static string Link(string before, string beforeHash, string name) =>
        before.Length + name.Length <= LinkNameMax && IsPlain(name) && name is not ("lo" or "all" or "default")
            ? before + name
            : beforeHash + Hash(name)[..Math.Min(12, LinkNameMax - beforeHash.Length)];

    static string Plain(string name, int max) => name.Length <= max && IsPlain(name) ? name : Hash(name);

    static bool IsPlain(string name) =>
        name.Length > 0 && name[0] != '.' && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
