using System.Text;
using System.Text.RegularExpressions;

namespace ControlPlane.DriverLinux;

/// <summary>
/// Packet rules that a version before programs made: tables of family netdev with the names ports-00 to ports-3f
/// (linux/netfilter/nf_tables.h). They go on dropping what they did as long as they are there.
/// </summary>
sealed partial class FormerRules(NetlinkSocket socket) : IDisposable
{
    const ushort Subsystem = 10 << 8;
    const ushort GetTable = Subsystem | 1;
    const ushort DeleteTable = Subsystem | 2;
    const ushort Begin = 16;
    const ushort End = 17;
    const byte Devices = 5;
    const int TableName = 1;
    const int HeaderBytes = 16 + 4;

    public static FormerRules Open(string networkNamespace) =>
        new(NetlinkSocket.Open(networkNamespace, NetlinkSocket.Netfilter));

    public List<string> Tables()
    {
        try
        {
            return [.. socket.Collect(() => Message(GetTable, NetlinkFlags.Dump, "list tables"), bytes => ReadName(bytes))
                .Where(name => Ours().IsMatch(name))];
        }
        catch (KernelException error) when (error.Errno is 2 or 22 or 93 or 95)
        {
            // A kernel without such rules.
            return [];
        }
    }

    /// <summary>With all that they hold, in one transaction.</summary>
    public void Delete(IEnumerable<string> tables) => socket.Request(
        [
            Edge(Begin), .. tables.Select(table => Message(DeleteTable, 0, "delete table " + table).Add(TableName, table)), Edge(End),
        ],
        "delete the packet rules of an earlier version");

    public void Dispose() => socket.Dispose();

    static NetlinkMessage Message(ushort type, ushort flags, string what) =>
        new NetlinkMessage(type, (ushort)(NetlinkFlags.Request | flags), what).Append([Devices, 0, 0, 0]);

    static NetlinkMessage Edge(ushort type) =>
        new NetlinkMessage(type, NetlinkFlags.Request, "delete tables").Append([0, 0, 0, Subsystem >> 8]);

    static string ReadName(ReadOnlySpan<byte> message)
    {
        foreach (var attribute in new NetlinkAttributes(message[HeaderBytes..]))
        {
            if (attribute.Type == TableName)
            {
                return Encoding.UTF8.GetString(attribute.Value).TrimEnd('\0');
            }
        }

        return "";
    }

    [GeneratedRegex("^ports-[0-3][0-9a-f]$")]
    private static partial Regex Ours();
}
