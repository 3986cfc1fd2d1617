using System.Collections.Frozen;
using ControlPlane.Messages;

namespace ControlPlane.Host.Api.Requests;

/// <summary>The rule for names at the door: a control character is malformed, any other bad name is wrong.</summary>
static class ApiNames
{
    /// <summary>Counted strings of peers.</summary>
    public const int PeerNameMax = 256;

    // Names of devices on Windows: a host there could never have a file of that name.
    static readonly FrozenSet<string> Reserved = new[] { "con", "prn", "aux", "nul" }
        .Concat(Enumerable.Range(1, 9).SelectMany(n => new[] { $"com{n}", $"lpt{n}" })).ToFrozenSet(StringComparer.Ordinal);

    public static string Host(string text) => Check(text, "host", "host");

    public static string Switch(string text) => Check(text, "switch", "switch");

    public static string Vm(string text) => Check(text, "VM", "vm");

    public static string Nic(string text) => Check(text, "NIC", "nic");

    public static string Port(string text) => Check(text, "port", "port", Names.PortMax);

    public static string Check(string text, string kind, string field, int max = Names.NameMax)
    {
        if (text.Any(char.IsControl))
        {
            throw new BadInputException(Problem.Malformed("name.control", $"The {kind}'s name has a control character.", field));
        }
        return Names.IsName(text, max) && !Reserved.Contains(text)
            ? text
            : throw new BadInputException(Problem.Wrong(
                "name.wrong", $"A {kind}'s name is [a-z0-9][a-z0-9._-]*, at most {max} characters, and no device name of an operating system.", field));
    }

    public static EntityId Entity(string text) =>
        EntityId.Parse(text) ?? throw new BadInputException(Problem.Wrong("actor.id", "This is no id of an actor.", "id"));
}
