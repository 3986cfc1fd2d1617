using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using ControlPlane.Messages;

namespace ControlPlane.DriverLinux;

/// <summary>
/// Loaded packet programs, one per distinct VLAN policy and side. At the bound the oldest is forgotten; devices that
/// have it keep it, and it is loaded anew when it is asked for again.
/// </summary>
sealed class ProgramCache : IDisposable
{
    const int ProgramsMax = 512;
    const int TagsMax = 512;

    readonly Lock _sync = new();
    readonly Dictionary<string, BpfProgram> _programs = [];
    readonly Queue<string> _ages = new();
    readonly Dictionary<long, string> _tags = [];

    public (string Name, BpfProgram Program) Vlan(VlanPolicy policy, TrafficSide side)
    {
        var digest = Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(policy)))[..12];
        var name = side == TrafficSide.In ? "vlan-in-" + digest : "vlan-out-" + digest;
        lock (_sync)
        {
            if (!_programs.TryGetValue(name, out var program))
            {
                if (_ages.Count == ProgramsMax)
                {
                    // Not closed: another thread may be about to attach it. It is closed when nobody has it any more.
                    _programs.Remove(_ages.Dequeue());
                }

                var rules = VlanRules.Of(policy);
                program = BpfProgram.Load(name, side == TrafficSide.In ? VlanProgram.In(rules) : VlanProgram.Out(rules));
                _programs.Add(name, program);
                _ages.Enqueue(name);
            }

            return (name, program);
        }
    }

    public static string RateName(long bytesPerSecond) => "rate-" + bytesPerSecond.ToString(CultureInfo.InvariantCulture);

    /// <summary>The tag that the kernel gives to every program of that rate: its cell is not in it.</summary>
    public string RateTag(long bytesPerSecond)
    {
        lock (_sync)
        {
            if (!_tags.TryGetValue(bytesPerSecond, out var tag))
            {
                if (_tags.Count == TagsMax)
                {
                    _tags.Clear();
                }

                using var sample = NewRate(bytesPerSecond);
                _tags[bytesPerSecond] = tag = sample.Tag;
            }

            return tag;
        }
    }

    /// <summary>With a cell of its own: for one device.</summary>
    public static BpfProgram NewRate(long bytesPerSecond)
    {
        var name = RateName(bytesPerSecond);
        using var cell = BpfProgram.NewCell(name);
        return BpfProgram.Load(name, RateProgram.For(bytesPerSecond, (int)cell.DangerousGetHandle()));
    }

    public void Dispose()
    {
        lock (_sync)
        {
            foreach (var program in _programs.Values)
            {
                program.Dispose();
            }

            _programs.Clear();
        }
    }
}
