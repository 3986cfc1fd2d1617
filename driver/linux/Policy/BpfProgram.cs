using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace ControlPlane.DriverLinux;

/// <summary>
/// A packet program that the kernel has checked and holds as long as this descriptor is open or a filter uses it: an
/// attached one goes on without this process. <paramref name="Tag"/> is the kernel's digest of the instructions, the
/// same for the same instructions.
/// </summary>
sealed unsafe record BpfProgram(SafeFileHandle Descriptor, string Tag) : IDisposable
{
    const int CreateMap = 0;
    const int LoadProgram = 5;
    const int GetInfo = 15;
    const int TrafficClassifier = 3;
    const int Array = 2;
    const int AttributeBytes = 128;

    static readonly nint CallNumber = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 280 : 321;

    public static BpfProgram Load(string name, BpfCode code)
    {
        var instructions = code.Bytes();
        fixed (byte* first = instructions, terms = "GPL\0"u8)
        {
            var attributes = new byte[AttributeBytes];
            BinaryPrimitives.WriteInt32LittleEndian(attributes, TrafficClassifier);
            BinaryPrimitives.WriteInt32LittleEndian(attributes.AsSpan(4), code.Count);
            BinaryPrimitives.WriteInt64LittleEndian(attributes.AsSpan(8), (nint)first);
            BinaryPrimitives.WriteInt64LittleEndian(attributes.AsSpan(16), (nint)terms);
            Label(name).CopyTo(attributes.AsSpan(48));
            var descriptor = Call(LoadProgram, "load " + name, attributes);
            return new BpfProgram(descriptor, ReadTag(descriptor, name));
        }
    }

    /// <summary>An array with one value of eight bytes, zero.</summary>
    public static SafeFileHandle NewCell(string name)
    {
        var attributes = new byte[AttributeBytes];
        BinaryPrimitives.WriteInt32LittleEndian(attributes, Array);
        BinaryPrimitives.WriteInt32LittleEndian(attributes.AsSpan(4), 4);
        BinaryPrimitives.WriteInt32LittleEndian(attributes.AsSpan(8), 8);
        BinaryPrimitives.WriteInt32LittleEndian(attributes.AsSpan(12), 1);
        Label(name).CopyTo(attributes.AsSpan(28));
        return Call(CreateMap, "make a cell for " + name, attributes);
    }

    public void Dispose() => Descriptor.Dispose();

    static string ReadTag(SafeFileHandle program, string name)
    {
        var info = new byte[AttributeBytes];
        var attributes = new byte[AttributeBytes];
        fixed (byte* answer = info)
        {
            BinaryPrimitives.WriteInt32LittleEndian(attributes, (int)program.DangerousGetHandle());
            BinaryPrimitives.WriteInt32LittleEndian(attributes.AsSpan(4), info.Length);
            BinaryPrimitives.WriteInt64LittleEndian(attributes.AsSpan(8), (nint)answer);
            Raw(GetInfo, "read back " + name, attributes, 16);
        }

        return Convert.ToHexStringLower(info.AsSpan(8, 8));
    }

    static SafeFileHandle Call(int command, string what, byte[] attributes) =>
        new(Raw(command, what, attributes, AttributeBytes), ownsHandle: true);

    static nint Raw(int command, string what, byte[] attributes, int length)
    {
        fixed (byte* start = attributes)
        {
            var result = Libc.SystemCall(CallNumber, command, start, length);
            return result >= 0 ? result : throw KernelException.Last(what);
        }
    }

    /// <summary>The kernel takes 15 characters: letters, digits, underscore and dot.</summary>
    static byte[] Label(string name) =>
        Encoding.ASCII.GetBytes(new string([.. name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_').Take(15)]));
}
