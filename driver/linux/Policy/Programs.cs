using System.Globalization;

namespace ControlPlane.DriverLinux;

/// <summary>Loads packet programs of devices, and knows the tags by which attached ones are told.</summary>
sealed class Programs
{
    const int TagsMax = 512;

    readonly Lock _sync = new();
    readonly Dictionary<long, string> _tags = [];

    /// <summary>Programs that were loaded so far.</summary>
    public long Loaded { get; private set; }

    public static string RateName(long bytesPerSecond) => "rate-" + bytesPerSecond.ToString(CultureInfo.InvariantCulture);

    /// <summary>The tag that the kernel gives to every program of that rate: its cell is not in it.</summary>
    public string RateTag(long bytesPerSecond)
    {
        lock (_sync)
        {
            if (!_tags.TryGetValue(bytesPerSecond, out var tag))
            {
                using var sample = NewRate(bytesPerSecond);
                tag = sample.Tag;
            }

            return tag;
        }
    }

    /// <summary>With a cell of its own: for one device.</summary>
    public BpfProgram NewRate(long bytesPerSecond)
    {
        var name = RateName(bytesPerSecond);
        lock (_sync)
        {
            using var cell = BpfMap.New(name, 1);
            var program = BpfProgram.Load(name, RateProgram.For(bytesPerSecond, cell.Number));
            Loaded++;
            if (_tags.Count == TagsMax)
            {
                _tags.Clear();
            }

            _tags[bytesPerSecond] = program.Tag;
            return program;
        }
    }

    /// <summary>The tag that the kernel gives to it, whichever counters it has.</summary>
    public string Tag(PortProgram port)
    {
        lock (_sync)
        {
            if (port.Tag is null)
            {
                using var sample = New(port);
            }

            return port.Tag!;
        }
    }

    /// <summary>With counters of its own: for one device.</summary>
    public BpfProgram New(PortProgram port)
    {
        lock (_sync)
        {
            var program = port.Load();
            Loaded++;
            return program;
        }
    }
}
